#include "spanker/base/result.hpp"

#include <gtest/gtest.h>

#include <string>

namespace spanker {
namespace {

Result<int> failing(Failure failure) { return failure; }

TEST(Result, AFailureBecomesAResultOfAnyType) {
  const Result<int> bad = failing(bad_input("x.toml: cards", "too many", "1 to 65536", "0"));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(bad.error().where, "x.toml: cards");
  EXPECT_EQ(bad.error().what, "too many");
  EXPECT_EQ(bad.error().wanted, "1 to 65536");
  EXPECT_EQ(bad.error().got, "0");

  const Result<void> io = io_failure("a.gguf", "cannot open", "a file", "nothing");
  ASSERT_FALSE(io);
  EXPECT_EQ(io.error().kind, ErrorKind::kIo);
  EXPECT_EQ(io.error().where, "a.gguf");
  EXPECT_EQ(io.error().what, "cannot open");
  EXPECT_EQ(io.error().wanted, "a file");
  EXPECT_EQ(io.error().got, "nothing");

  const Result<void> lost = peer_lost("card 0", "card 3 is lost", "a message", "none");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, ErrorKind::kPeerLost);
  EXPECT_EQ(lost.error().what, "card 3 is lost");
}

TEST(ToLine, TellsWhereWhatWantedAndGot) {
  EXPECT_EQ(to_line({ErrorKind::kBadInput, "x.toml: cards", "too many", "1 to 65536", "0"}),
            "x.toml: cards: too many, wanted 1 to 65536, got 0");
}

TEST(ToLine, LeavesOutEmptyParts) {
  EXPECT_EQ(to_line(bad_input("--cards", "missing").value()), "--cards: missing");
  EXPECT_EQ(to_line(bad_input("", "no fit").value()), "no fit");
  EXPECT_EQ(to_line(bad_input("a", "b", "c").value()), "a: b, wanted c");
  EXPECT_EQ(to_line(bad_input("a", "b", "", "d").value()), "a: b, got d");
}

TEST(ToLine, EveryPartIsSafeForATerminal) {
  EXPECT_EQ(to_line(bad_input("a\nb", "c\x1b[2J", "d\te", "f\xff").value()),
            "a\\nb: c\\x1b[2J, wanted d\\te, got f\\xff");
}

}  // namespace
}  // namespace spanker
