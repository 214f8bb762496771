#include "spanker/cli/progress.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "spanker/report/table.hpp"

namespace spanker {
namespace {

/// A terminal that keeps what is drawn, and a clock that is set.
struct FakeTerminal {
  std::vector<std::string> drawn;
  double time = 1000;
  ProgressOutput output{[this](std::string_view text) { drawn.emplace_back(text); }, 80,
                        [this] { return Seconds(time); }};
};

TEST(ProgressBar, DrawsShareRateAndTimeLeft) {
  FakeTerminal terminal;
  ProgressBar bar(terminal.output);
  terminal.time += 2;
  bar.update(Bytes(100'000'000), Bytes(400'000'000));
  ASSERT_EQ(terminal.drawn.size(), 1u);
  // 100 MB in 2 s; the other 300 MB take 6 s. A quarter of 24 cells.
  EXPECT_EQ(terminal.drawn[0],
            "\r 25 %  100 MB of 400 MB  50 MB/s  6 s left  ██████··················\x1b[K");
  terminal.time += 1000;
  bar.update(Bytes(300'000'000), Bytes(400'000'000));
  EXPECT_NE(terminal.drawn[1].find(" 75 %"), std::string::npos);
  EXPECT_NE(terminal.drawn[1].find("5 min 34 s left"), std::string::npos) << terminal.drawn[1];
}

TEST(ProgressBar, CountsThings) {
  FakeTerminal terminal;
  ProgressBar bar(terminal.output);
  terminal.time += 2;
  bar.update(2, 8, "clusters searched");
  ASSERT_EQ(terminal.drawn.size(), 1u);
  EXPECT_EQ(terminal.drawn[0], "\r 25 %  2 of 8 clusters searched  6 s left  ██████··················\x1b[K");
  bar.update(3, 8, "clusters searched");
  EXPECT_EQ(terminal.drawn.size(), 1u) << "drawn again at once";
}

TEST(ProgressBar, DrawsAtMostTenTimesASecond) {
  FakeTerminal terminal;
  ProgressBar bar(terminal.output);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    bar.update(Bytes(i), Bytes(2000));
    terminal.time += 1.0 / 1024;
  }
  EXPECT_GE(terminal.drawn.size(), 17u);
  EXPECT_LE(terminal.drawn.size(), 20u);
}

TEST(ProgressBar, ErasesItselfAtTheEnd) {
  FakeTerminal terminal;
  {
    ProgressBar bar(terminal.output);
    terminal.time += 1;
    bar.update(Bytes(1), Bytes(2));
  }
  EXPECT_EQ(terminal.drawn.back(), "\r\x1b[K");
}

TEST(ProgressBar, ShowsNothingOfWhatIsShort) {
  FakeTerminal terminal;
  {
    ProgressBar bar(terminal.output);
    terminal.time += 0.05;
    bar.update(Bytes(1), Bytes(1));
  }
  EXPECT_TRUE(terminal.drawn.empty());
}

TEST(ProgressBar, NeedsNoTerminal) {
  ProgressOutput output;
  ProgressBar bar(output);
  bar.update(Bytes(1), Bytes(2));
}

TEST(ProgressBar, FitsTheTerminal) {
  for (std::size_t columns = 1; columns <= 120; ++columns) {
    FakeTerminal terminal;
    terminal.output.columns = columns;
    ProgressBar bar(terminal.output);
    for (const std::uint64_t done : {0u, 1u, 1'000'000u, 123'456'789u}) {
      terminal.time += 3333;
      bar.update(Bytes(done), Bytes(123'456'789));
      const std::string& drawn = terminal.drawn.back();
      const std::string line = drawn.substr(1, drawn.size() - 4);
      EXPECT_LT(display_width(line), columns) << line;
      EXPECT_EQ(line.find("inf"), std::string::npos) << line;
      EXPECT_EQ(line.find("nan"), std::string::npos) << line;
    }
  }
}

}  // namespace
}  // namespace spanker
