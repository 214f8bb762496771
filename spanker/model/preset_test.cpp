#include "spanker/model/preset.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace spanker {
namespace {

// Numbers of parameters as published with the weights (the safetensors headers of the same repositories).
const std::map<std::string_view, std::uint64_t> kPublished = {
    {"tinyllama-1.1b", 1'100'048'384},   {"llama-2-7b", 6'738'415'616},    {"llama-2-13b", 13'015'864'320},
    {"llama-2-70b", 68'976'648'192},     {"llama-3-8b", 8'030'261'248},    {"llama-3-70b", 70'553'706'496},
    {"llama-3.2-1b", 1'235'814'400},     {"llama-3.2-3b", 3'212'749'824},  {"mistral-7b", 7'241'732'096},
    {"qwen2.5-0.5b", 494'032'768},       {"qwen2.5-7b", 7'615'616'512},    {"qwen2.5-72b", 72'706'203'648},
    {"qwen3-8b", 8'190'735'360},         {"llama-3.1-8b", 8'030'261'248},  {"llama-3.1-70b", 70'553'706'496},
    {"llama-3.1-405b", 405'853'388'800}, {"mixtral-8x7b", 46'702'792'704}, {"qwen3-30b-a3b", 30'532'122'624},
};

TEST(Presets, HaveThePublishedNumbersOfParameters) {
  EXPECT_EQ(presets().size(), kPublished.size());
  for (const auto& [name, parameters] : kPublished) {
    const Preset* preset = find_preset(name);
    ASSERT_NE(preset, nullptr) << name;
    const auto model = make_model(preset->name, preset->shape, TensorType::kQ4_0);
    ASSERT_TRUE(model) << to_line(model.error());
    EXPECT_EQ(parameter_count(*model), parameters) << name;
    EXPECT_EQ(model->shape, preset->shape);
    EXPECT_EQ(model->output.has_value(), !preset->shape.tie_word_embeddings);
  }
}

TEST(Presets, AreSortedAndSayTheirSource) {
  EXPECT_TRUE(std::ranges::is_sorted(presets(), {}, &Preset::name));
  for (const Preset& preset : presets()) {
    EXPECT_TRUE(preset.source.starts_with("config.json of ")) << preset.name;
    EXPECT_NE(preset.source.find('/'), std::string_view::npos) << preset.name;
  }
}

TEST(Presets, UnknownNamesAreNull) {
  EXPECT_EQ(find_preset("llama-9-1b"), nullptr);
  EXPECT_EQ(find_preset(""), nullptr);
  EXPECT_EQ(find_preset("Qwen3-8B"), nullptr);
}

// As counted by llama.cpp for a file of that shape: all matrices but the embedding table, vectors in 4 bytes,
// one row.
TEST(Presets, TinyLlamaReads582MegabytesForAToken) {
  const auto model = make_model("tinyllama-1.1b", find_preset("tinyllama-1.1b")->shape, TensorType::kQ4_0);
  EXPECT_EQ(decode_weight_bytes(*model), Bytes(582'231'168));
}

}  // namespace
}  // namespace spanker
