#include "spanker/measure/measure_machine.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

using namespace testing;

/// So small that it says little, but all of it.
class MeasureMachine : public FolderTest {
 protected:
  MeasureOptions options() const {
    MeasureOptions options;
    options.blocks = 2;
    options.block = Seconds(0.01);
    options.models.clear();
    for (const std::uint32_t layers : {2u, 3u, 4u}) {
      options.models.push_back(
          {std::to_string(layers) + " layers",
           {Architecture::kLlama, layers, 128, 256, 4, 2, 32, 512, 512, 1e-5, 1e4, false}});
    }
    options.long_prompt = 40;
    options.read_size = Bytes(1 << 20);
    options.kernel_size = Bytes(1 << 10);
    options.folder = path("");
    options.today = "2026-01-02";
    return options;
  }
};

TEST_F(MeasureMachine, SeesAllOfAMachine) {
  LocalWorkbench bench(1, 2);
  const auto measured = measure_machine(bench, options());
  ASSERT_TRUE(measured.has_value()) << to_line(measured.error());
  ASSERT_TRUE(measured->has_value());
  const MachineMeasurement& seen = **measured;
  EXPECT_FALSE(seen.reads.empty());
  EXPECT_EQ(seen.kernels.size(), 7u);
  for (const auto& kernel : seen.kernels) EXPECT_GT(kernel.rate.value, 0);
  ASSERT_EQ(seen.decodes.size(), 3u);
  EXPECT_EQ(seen.decodes[1].model, "3 layers");
  for (const auto& decode : seen.decodes) EXPECT_GT(decode.token, Seconds(0));
  EXPECT_FALSE(seen.all_reduce.has_value());
  EXPECT_GT(seen.machine.memory, Bytes(1 << 20));
  EXPECT_EQ(seen.cluster.name, "localhost");
  EXPECT_NE(seen.cluster.card.memory_bandwidth.source.find("2026-01-02"), std::string::npos);
  // What is written is a profile, and no model is left behind.
  ASSERT_TRUE(write_profile(path("p.toml"), seen.cluster).has_value());
  const auto again = load_cluster(path("p.toml"));
  ASSERT_TRUE(again.has_value()) << to_line(again.error());
  EXPECT_EQ(again->card, seen.cluster.card);
  EXPECT_FALSE(std::filesystem::exists(path("model.gguf")));
}

TEST_F(MeasureMachine, CardsHaveLinks) {
  LocalWorkbench bench(3, 3);
  const auto measured = measure_machine(bench, options());
  ASSERT_TRUE(measured.has_value()) << to_line(measured.error());
  const MachineMeasurement& seen = **measured;
  EXPECT_EQ(seen.cluster.card_count, 3u);
  EXPECT_GT(seen.cluster.link.bandwidth.value.value, 0);
  ASSERT_TRUE(seen.all_reduce.has_value());
  EXPECT_GT(seen.all_reduce->measured, Seconds(0));
  ASSERT_TRUE(write_profile(path("p.toml"), seen.cluster).has_value());
  EXPECT_TRUE(load_cluster(path("p.toml")).has_value());
}

TEST_F(MeasureMachine, CanBeInterrupted) {
  LocalWorkbench bench(1, 1);
  MeasureOptions some = options();
  std::uint64_t calls = 0;
  some.progress = [&](std::uint64_t done, std::uint64_t total, std::string_view what) {
    EXPECT_LT(done, total);
    EXPECT_FALSE(what.empty());
    return ++calls < 4;
  };
  const auto measured = measure_machine(bench, some);
  ASSERT_FALSE(measured.has_value());
  EXPECT_EQ(to_line(measured.error()), "measure: interrupted");
  EXPECT_FALSE(std::filesystem::exists(path("model.gguf")));
}

TEST_F(MeasureMachine, AFolderThatIsNotThere) {
  LocalWorkbench bench(1, 1);
  MeasureOptions some = options();
  some.folder = path("none");
  const auto measured = measure_machine(bench, some);
  ASSERT_FALSE(measured.has_value());
  EXPECT_EQ(measured.error().kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace spanker
