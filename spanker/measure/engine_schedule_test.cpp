#include "spanker/measure/engine_schedule.hpp"

#include <gtest/gtest.h>

#include "spanker/measure/measured_runs.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

/// Whole KiB that the root sent and received in a token, rounded down as the engine prints them.
std::pair<std::uint64_t, std::uint64_t> kib(EngineSchedule schedule, const char* model, TensorType wire,
                                            std::uint32_t cards) {
  const auto exchanges = engine_exchanges(schedule, find_preset(model)->shape, wire, cards);
  return {root_sent_bytes(exchanges).value / 1024, root_received_bytes(exchanges).value / 1024};
}

using Kib = std::pair<std::uint64_t, std::uint64_t>;

// The counts that distributed-llama printed.
TEST(EngineSchedule, RootStarSendsWhatItsEnginePrinted) {
  constexpr auto kSchedule = EngineSchedule::kRootStar;
  EXPECT_EQ(kib(kSchedule, "llama-3-8b", TensorType::kQ8_0, 2), Kib(272, 272));
  EXPECT_EQ(kib(kSchedule, "llama-3-8b", TensorType::kQ8_0, 4), Kib(816, 816));
  EXPECT_EQ(kib(kSchedule, "llama-3-8b", TensorType::kQ8_0, 8), Kib(1904, 1904));
  EXPECT_EQ(kib(kSchedule, "llama-3-8b", TensorType::kF32, 2), Kib(1024, 1024));
  EXPECT_EQ(kib(kSchedule, "llama-3-8b", TensorType::kF32, 4), Kib(3072, 3072));
  EXPECT_EQ(kib(kSchedule, "llama-3-8b", TensorType::kF32, 8), Kib(7168, 7168));
}

TEST(EngineSchedule, RootStarV1SendsWhatItsEnginePrinted) {
  constexpr auto kSchedule = EngineSchedule::kRootStarV1;
  EXPECT_EQ(kib(kSchedule, "llama-2-7b", TensorType::kQ8_0, 2), Kib(590, 522));
  EXPECT_EQ(kib(kSchedule, "llama-2-7b", TensorType::kQ8_0, 4), Kib(2046, 784));
  EXPECT_EQ(kib(kSchedule, "llama-2-7b", TensorType::kQ8_0, 8), Kib(5094, 914));
}

TEST(EngineSchedule, EveryByteOfThePublishedRunsIsPredicted) {
  const auto runs = read_measured_runs(SPANKER_SOURCE_DIR "/docs/data/measured_runs.json");
  ASSERT_TRUE(runs) << to_line(runs.error());
  int compared = 0;
  for (const MeasuredRun& run : runs->runs) {
    if (!run.root_sent_bytes) continue;
    const auto [sent, received] = kib(run.schedule, run.model.c_str(), run.wire, run.cards);
    EXPECT_EQ(sent * 1024, run.root_sent_bytes->value) << run.cards;
    EXPECT_EQ(received * 1024, run.root_received_bytes->value) << run.cards;
    ++compared;
  }
  EXPECT_EQ(compared, 6);
}

// Two vectors of 4096 in 34 bytes per 32 elements and layer, an embedding row in F32, and all logits but the
// root's own.
TEST(EngineSchedule, AllToAllExchangesPartialVectorsAndGathersLogits) {
  EXPECT_EQ(kib(EngineSchedule::kAllToAll, "llama-3-8b", TensorType::kQ8_0, 4),
            Kib(3 * (2 * 32 * 4352 + 16384) / 1024, 3 * (2 * 32 * 4352 + 128256 / 4 * 4) / 1024));
}

TEST(EngineSchedule, PipelinePassesOneVectorOn) {
  EXPECT_EQ(kib(EngineSchedule::kPipeline, "llama-3-8b", TensorType::kF32, 2), Kib(16, 16));
  EXPECT_EQ(kib(EngineSchedule::kPipeline, "llama-3-8b", TensorType::kF32, 5), Kib(16, 16));
}

TEST(EngineSchedule, OneCardSendsNothing) {
  for (const auto schedule : {EngineSchedule::kRootStarV1, EngineSchedule::kRootStar,
                              EngineSchedule::kAllToAll, EngineSchedule::kPipeline}) {
    EXPECT_EQ(kib(schedule, "llama-3-8b", TensorType::kF32, 1), Kib(0, 0));
  }
}

}  // namespace
}  // namespace spanker
