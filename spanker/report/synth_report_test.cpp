#include "spanker/report/synth_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "spanker/model/load.hpp"

namespace spanker {
namespace {

TEST(SynthReport, SaysWhatWasWritten) {
  const Model model = load_model("tinyllama-1.1b", TensorType::kQ8_0).value();
  const SynthReport report{"a\nb.gguf", model, 7, Bytes(1'170'000'000), Seconds(2.5)};
  EXPECT_EQ(to_text(report, Style{}),
            "a\\nb.gguf: tinyllama-1.1b, untrained\n\n"
            "  weights     random q8_0, seed 7\n"
            "  vocabulary  32000 tokens, made up\n"
            "  size        1.17 GB, 1170000000 bytes\n"
            "  written in  2.5 s\n");
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["schema"], "spanker.synth/1");
  EXPECT_EQ(json["path"], "a\nb.gguf");
  EXPECT_EQ(json["model"]["name"], "tinyllama-1.1b");
  EXPECT_EQ(json["quant"], "q8_0");
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["bytes"], 1'170'000'000);
  EXPECT_EQ(json["seconds"], 2.5);
}

}  // namespace
}  // namespace spanker
