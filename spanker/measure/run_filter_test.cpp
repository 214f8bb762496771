#include "spanker/measure/run_filter.hpp"

#include <gtest/gtest.h>

namespace spanker {
namespace {

MeasuredRun run_of(std::uint32_t cards) {
  MeasuredRun run;
  run.cluster = "boards";
  run.model = "llama-2-7b";
  run.schedule = EngineSchedule::kRootStar;
  run.cards = cards;
  return run;
}

bool matches(std::string_view filter, std::uint32_t cards) {
  const auto parsed = RunFilter::parse(filter, "--fit");
  EXPECT_TRUE(parsed) << filter;
  return parsed && parsed->matches(run_of(cards));
}

TEST(RunFilter, ComparesCards) {
  for (const auto& [filter, one, two, three] : {std::tuple{"cards<=2", true, true, false},
                                                {"cards<2", true, false, false},
                                                {"cards=2", false, true, false},
                                                {"cards!=2", true, false, true},
                                                {"cards>=2", false, true, true},
                                                {"cards > 2", false, false, true},
                                                {"<=2", true, true, false}}) {
    EXPECT_EQ(matches(filter, 1), one) << filter;
    EXPECT_EQ(matches(filter, 2), two) << filter;
    EXPECT_EQ(matches(filter, 3), three) << filter;
  }
}

TEST(RunFilter, AllConditionsMustHold) {
  EXPECT_TRUE(matches("cards<=2, model=llama-2-7b, cluster=boards,schedule=root_star", 2));
  EXPECT_FALSE(matches("cards<=2,model=llama-3-8b", 2));
  EXPECT_FALSE(matches("model!=llama-2-7b", 2));
  EXPECT_TRUE(RunFilter().matches(run_of(9)));
}

TEST(RunFilter, RefusesWhatIsNone) {
  for (const char* filter :
       {"", "cards", "cards<=", "cards<=x", "cards<=-1", "cards<=2x", "cards<=99999999999", "cards=<2",
        "cards<=2,", "colour=red", "model<x", "model=", "cards==2"}) {
    const auto parsed = RunFilter::parse(filter, "--fit");
    ASSERT_FALSE(parsed) << filter;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kBadInput);
    EXPECT_TRUE(
        to_line(parsed.error()).starts_with("--fit: not a filter of runs, wanted conditions such as"));
  }
}

}  // namespace
}  // namespace spanker
