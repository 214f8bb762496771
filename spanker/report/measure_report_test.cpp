#include "spanker/report/measure_report.hpp"

#include <gtest/gtest.h>

#include "spanker/report/json_keys_for_test.hpp"
#include "spanker/run/machine_cluster.hpp"

namespace spanker {
namespace {

using namespace testing;

MachineMeasurement measured() {
  MachineMeasurement measured;
  measured.machine = {"shelf", "A processor", 2, 4, Bytes(std::uint64_t{8} << 30)};
  measured.cards = 2;
  measured.threads = 4;
  measured.in_processes = true;
  measured.reads = {{1, BytesPerSecond(1e10)}, {2, BytesPerSecond(1.8e10)}};
  measured.kernels = {{WeightType::kQ4_0, BytesPerSecond(9e9)}};
  measured.decodes = {{"small", Bytes(100'000'000), Seconds(0.02), 0.03, Seconds(0.021)},
                      {"large", Bytes(400'000'000), Seconds(0.07), 0.05, Seconds(0.068)}};
  measured.all_reduce = {Bytes(8192), Seconds(20e-6), Seconds(16e-6)};
  measured.cluster = unmeasured_machine(2, Bytes(std::uint64_t{4} << 30));
  measured.cluster.description = "2 processes of 4 threads together";
  measured.cluster.card.memory_bandwidth = {BytesPerSecond(8e9), BytesPerSecond(7e9), BytesPerSecond(9e9),
                                            "test"};
  return measured;
}

TEST(MeasureReport, AsJson) {
  const auto json = parse_document(to_json(measured()));
  EXPECT_EQ(json["schema"], "spanker.measure/1");
  EXPECT_EQ(json["host"], "shelf");
  EXPECT_EQ(json["cards"], 2);
  EXPECT_EQ(json["processes"], true);
  EXPECT_EQ(json["read"][1]["threads"], 2);
  EXPECT_EQ(json["read"][1]["bytes_per_second"], 1.8e10);
  EXPECT_EQ(json["kernels"][0]["type"], "q4_0");
  EXPECT_EQ(json["decode"][0]["spread"], 0.03);
  EXPECT_EQ(json["decode"][1]["predicted_seconds_per_token"], 0.068);
  EXPECT_EQ(json["card"]["memory_bandwidth_bytes_per_second"]["low"], 7e9);
  EXPECT_TRUE(json["card"]["compute_ops_per_second"].is_null());
  EXPECT_EQ(json["link"]["bandwidth_bytes_per_second"]["value"], 1e12);
  EXPECT_EQ(json["all_reduce"]["seconds"], 20e-6);

  MachineMeasurement alone = measured();
  alone.cards = 1;
  alone.all_reduce.reset();
  const auto one = parse_document(to_json(alone));
  EXPECT_TRUE(one["link"].is_null());
  EXPECT_TRUE(one["all_reduce"].is_null());
}

TEST(MeasureReport, AsTables) {
  const std::string text = to_text(measured(), Style{});
  EXPECT_NE(text.find("shelf: 2 processes of 4 threads together\n"), std::string::npos) << text;
  EXPECT_NE(text.find("reading, 2 threads"), std::string::npos) << text;
  EXPECT_NE(text.find("8 GB/s  7 GB/s to 9 GB/s"), std::string::npos) << text;
  EXPECT_NE(text.find("+5.0 %"), std::string::npos) << text;
  EXPECT_NE(text.find("An all_reduce of 8.192 kB takes 20 us, by the fitted links 16 us."), std::string::npos)
      << text;
}

}  // namespace
}  // namespace spanker
