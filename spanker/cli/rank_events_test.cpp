#include "spanker/cli/rank_events.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <variant>

namespace spanker {
namespace {

constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();

/// What is read of the line that an event makes.
template <class Event>
Event read_again(const Event& event) {
  const std::string line = line_of(event);
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  const auto read = event_from(std::string_view(line).substr(0, line.size() - 1));
  EXPECT_TRUE(read.has_value()) << line;
  EXPECT_TRUE(read && std::holds_alternative<Event>(*read)) << line;
  return read && std::holds_alternative<Event>(*read) ? std::get<Event>(*read) : Event{};
}

TEST(RankEvents, AreReadAgainTheSame) {
  const std::vector<std::string> hosts = {"first", "", "a \"second\""};
  EXPECT_EQ(read_again(StartedEvent{hosts}).hosts, hosts);
  EXPECT_EQ(read_again(StartedEvent{}).hosts, std::vector<std::string>{});

  const TokenEvent token =
      read_again(TokenEvent{kMost, std::numeric_limits<std::uint64_t>::max(), " a\n\"b"});
  EXPECT_EQ(token.text, " a\n\"b");
  EXPECT_EQ(token.token, kMost);
  EXPECT_EQ(token.seed, std::numeric_limits<std::uint64_t>::max());

  for (const std::string& text :
       {std::string(), std::string("two\nlines\r\t\"\\"), std::string("\0\x1b[m", 4),
        std::string("\xc3\xa9\xf0\x9f\x90\x9f"), std::string(1'000'000, 'x')}) {
    EXPECT_EQ(read_again(TextEvent{text}).text, text);
  }
}

TEST(RankEvents, EndsAreReadAgainTheSame) {
  for (const ExitCode code :
       {ExitCode::kFine, ExitCode::kNo, ExitCode::kBadInput, ExitCode::kIo, ExitCode::kInternal}) {
    const EndEvent end =
        read_again(EndEvent{{code, "{\n  \"a\": 1\n}\n", "card 1: is lost", {"one", "two\n"}}, kMost});
    EXPECT_EQ(end.outcome.code, code);
    EXPECT_EQ(end.outcome.out, "{\n  \"a\": 1\n}\n");
    EXPECT_EQ(end.outcome.error, "card 1: is lost");
    EXPECT_EQ(end.outcome.warnings, (std::vector<std::string>{"one", "two\n"}));
    EXPECT_EQ(end.lost, kMost);
  }
  const EndEvent plain = read_again(EndEvent{});
  EXPECT_EQ(plain.outcome.code, ExitCode::kFine);
  EXPECT_FALSE(plain.lost.has_value());
}

TEST(RankEvents, TextThatIsNoUtf8IsStillOneLine) {
  EXPECT_NE(read_again(TextEvent{"a\xff"
                                 "b"})
                .text,
            "");
}

TEST(RankEvents, OtherLinesAreNone) {
  for (const char* line :
       {"", "Hello", "{}", "[]", "null", "1", "\"spanker_event\"", "{\"a\": 1}", "{\"spanker_event\": 1}",
        "{\"spanker_event\": null}", "{\"spanker_event\": \"other\"}", "{\"spanker_event\": \"token\"",
        "-----------------------------------", "mpirun noticed that process rank 1 exited"}) {
    EXPECT_FALSE(event_from(line).has_value()) << line;
  }
}

TEST(RankEvents, EventsOfOtherValuesAreNone) {
  for (const char* line :
       {R"({"spanker_event": "token"})", R"({"spanker_event": "token", "token": -1, "seed": 1})",
        R"({"spanker_event": "token", "token": 4294967296, "seed": 1})",
        R"({"spanker_event": "token", "token": "1", "seed": 1})", R"({"spanker_event": "token", "token": 1})",
        R"({"spanker_event": "text"})", R"({"spanker_event": "text", "text": ["x"]})",
        R"({"spanker_event": "end"})",
        R"({"spanker_event": "end", "code": 5, "out": "", "error": "", "warnings": []})",
        R"({"spanker_event": "end", "code": -1, "out": "", "error": "", "warnings": []})",
        R"({"spanker_event": "end", "code": 0, "out": 1, "error": "", "warnings": []})",
        R"({"spanker_event": "end", "code": 0, "out": "", "error": "", "warnings": [], "lost": -1})"}) {
    EXPECT_FALSE(event_from(line).has_value()) << line;
  }
}

TEST(RankEvents, ACutLineIsNone) {
  const std::string line = line_of(EndEvent{{ExitCode::kIo, "out", "error", {"warning"}}, 1});
  for (std::size_t size = 0; size + 1 < line.size(); ++size) {
    EXPECT_FALSE(event_from(std::string_view(line).substr(0, size)).has_value()) << size;
  }
}

TEST(RankEvents, DeepNestingIsNone) {
  EXPECT_FALSE(event_from(std::string(1'000'000, '[')).has_value());
  EXPECT_FALSE(event_from(R"({"spanker_event": "text", "text": )" + std::string(1'000'000, '[')).has_value());
}

}  // namespace
}  // namespace spanker
