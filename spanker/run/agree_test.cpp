#include "spanker/run/agree.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "spanker/comm/local_cards.hpp"

namespace spanker {
namespace {

using Texts = std::vector<std::string>;
using Own = Result<std::string>;

/// What agree() says on each card.
std::vector<Result<Texts>> agreed(const std::vector<Own>& own) {
  std::vector<Result<Texts>> got(own.size());
  const auto done =
      run_in_process(static_cast<std::uint32_t>(own.size()), [&](Communicator& world) -> Result<void> {
        got[world.rank()] = agree(world.endpoint(), own[world.rank()]);
        return {};
      });
  EXPECT_TRUE(done) << to_line(done.error());
  return got;
}

void expect_on_all(const std::vector<Own>& own, ErrorKind kind, const std::string& line) {
  for (const auto& each : agreed(own)) {
    ASSERT_FALSE(each);
    EXPECT_EQ(each.error().kind, kind);
    EXPECT_EQ(to_line(each.error()), line);
  }
}

Own broken(ErrorKind kind, const std::string& where = "m.gguf") {
  return Failure(Error{kind, where, "cannot be read", "a file", "nothing"});
}

TEST(Agree, AllGetWhatEachHas) {
  const std::vector<Own> own = {"first", "", std::string("+-\0\n", 4), std::string(100'000, 'x')};
  Texts wanted;
  for (const Own& each : own) wanted.push_back(*each);
  for (const auto& each : agreed(own)) {
    ASSERT_TRUE(each) << to_line(each.error());
    EXPECT_EQ(*each, wanted);
  }
}

TEST(Agree, OneCardAlone) {
  const auto got = agreed({"own"});
  ASSERT_TRUE(got[0]);
  EXPECT_EQ(*got[0], Texts{"own"});
  expect_on_all({broken(ErrorKind::kIo)}, ErrorKind::kIo,
                "card 0: m.gguf: cannot be read, wanted a file, got nothing");
}

TEST(Agree, AllGetTheErrorOfOneWithItsName) {
  for (const ErrorKind kind :
       {ErrorKind::kInfeasible, ErrorKind::kBadInput, ErrorKind::kIo, ErrorKind::kPeerLost}) {
    expect_on_all({"fine", "fine", broken(kind)}, kind,
                  "card 2: m.gguf: cannot be read, wanted a file, got nothing");
  }
}

TEST(Agree, AnErrorWithoutAPlaceIsTheCards) {
  expect_on_all({"fine", broken(ErrorKind::kIo, "")}, ErrorKind::kIo,
                "card 1: cannot be read, wanted a file, got nothing");
}

TEST(Agree, OfSeveralErrorsTheFirstCardsCounts) {
  expect_on_all({"fine", broken(ErrorKind::kBadInput, "a"), broken(ErrorKind::kIo, "b")},
                ErrorKind::kBadInput, "card 1: a: cannot be read, wanted a file, got nothing");
}

TEST(Agree, AnErrorOfAnyBytes) {
  const auto got =
      agreed({Failure(Error{ErrorKind::kIo, "\"\xff\xfe\"", "{\n", "\\", std::string(1, '\0')}), ""});
  for (const auto& each : got) {
    ASSERT_FALSE(each);
    EXPECT_EQ(each.error().kind, ErrorKind::kIo);
    EXPECT_EQ(each.error().what, "{\n");
    EXPECT_EQ(each.error().wanted, "\\");
    EXPECT_EQ(each.error().got, std::string(1, '\0'));
  }
  EXPECT_EQ(to_line(got[0].error()), to_line(got[1].error()));
}

}  // namespace
}  // namespace spanker
