#include "spanker/model/preset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "spanker/model/shape.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

using enum Architecture;

// Columns: layers, hidden, ffn, heads, key/value heads, head_dim, vocabulary, context, epsilon, theta, tied,
// and in mixtures experts and experts of a token.
constexpr auto kPresets = std::to_array<Preset>({
    {"llama-2-13b",
     "config.json of meta-llama/Llama-2-13b-hf",
     {kLlama, 40, 5120, 13824, 40, 40, 128, 32000, 4096, 1e-5, 10000, false}},
    {"llama-2-70b",
     "config.json of meta-llama/Llama-2-70b-hf",
     {kLlama, 80, 8192, 28672, 64, 8, 128, 32000, 4096, 1e-5, 10000, false}},
    {"llama-2-7b",
     "config.json of meta-llama/Llama-2-7b-hf",
     {kLlama, 32, 4096, 11008, 32, 32, 128, 32000, 4096, 1e-5, 10000, false}},
    {"llama-3-70b",
     "config.json of meta-llama/Meta-Llama-3-70B",
     {kLlama, 80, 8192, 28672, 64, 8, 128, 128256, 8192, 1e-5, 500000, false}},
    {"llama-3-8b",
     "config.json of meta-llama/Meta-Llama-3-8B",
     {kLlama, 32, 4096, 14336, 32, 8, 128, 128256, 8192, 1e-5, 500000, false}},
    {"llama-3.1-405b",
     "config.json of meta-llama/Llama-3.1-405B",
     {kLlama, 126, 16384, 53248, 128, 8, 128, 128256, 131072, 1e-5, 500000, false}},
    {"llama-3.1-70b",
     "config.json of meta-llama/Llama-3.1-70B",
     {kLlama, 80, 8192, 28672, 64, 8, 128, 128256, 131072, 1e-5, 500000, false}},
    {"llama-3.1-8b",
     "config.json of meta-llama/Llama-3.1-8B",
     {kLlama, 32, 4096, 14336, 32, 8, 128, 128256, 131072, 1e-5, 500000, false}},
    {"llama-3.2-1b",
     "config.json of meta-llama/Llama-3.2-1B",
     {kLlama, 16, 2048, 8192, 32, 8, 64, 128256, 131072, 1e-5, 500000, true}},
    {"llama-3.2-3b",
     "config.json of meta-llama/Llama-3.2-3B",
     {kLlama, 28, 3072, 8192, 24, 8, 128, 128256, 131072, 1e-5, 500000, true}},
    // Not v0.1, whose sliding window a ModelShape cannot say.
    {"mistral-7b",
     "config.json of mistralai/Mistral-7B-Instruct-v0.2",
     {kMistral, 32, 4096, 14336, 32, 8, 128, 32000, 32768, 1e-5, 1000000, false}},
    {"mixtral-8x7b",
     "config.json of mistralai/Mixtral-8x7B-Instruct-v0.1",
     {kLlama, 32, 4096, 14336, 32, 8, 128, 32000, 32768, 1e-5, 1000000, false, 8, 2}},
    {"qwen2.5-0.5b",
     "config.json of Qwen/Qwen2.5-0.5B-Instruct",
     {kQwen2, 24, 896, 4864, 14, 2, 64, 151936, 32768, 1e-6, 1000000, true}},
    {"qwen2.5-72b",
     "config.json of Qwen/Qwen2.5-72B-Instruct",
     {kQwen2, 80, 8192, 29568, 64, 8, 128, 152064, 32768, 1e-6, 1000000, false}},
    {"qwen2.5-7b",
     "config.json of Qwen/Qwen2.5-7B-Instruct",
     {kQwen2, 28, 3584, 18944, 28, 4, 128, 152064, 32768, 1e-6, 1000000, false}},
    {"qwen3-30b-a3b",
     "config.json of Qwen/Qwen3-30B-A3B",
     {kQwen3Moe, 48, 2048, 768, 32, 4, 128, 151936, 40960, 1e-6, 1000000, false, 128, 8}},
    {"qwen3-8b",
     "config.json of Qwen/Qwen3-8B",
     {kQwen3, 36, 4096, 12288, 32, 8, 128, 151936, 40960, 1e-6, 1000000, false}},
    {"tinyllama-1.1b",
     "config.json of TinyLlama/TinyLlama-1.1B-Chat-v1.0",
     {kLlama, 22, 2048, 5632, 32, 4, 64, 32000, 2048, 1e-5, 10000, false}},
});

}  // namespace

std::span<const Preset> presets() { return kPresets; }

const Preset* find_preset(std::string_view name) {
  const auto found = std::ranges::find(kPresets, name, &Preset::name);
  return found == kPresets.end() ? nullptr : &*found;
}

Result<Model> make_model(std::string_view name, const ModelShape& shape, TensorType quant) {
  if (auto sound = check_shape(shape, name); !sound) return tl::unexpected(sound.error());
  if (!can_store_weights(quant)) {
    return bad_input(std::string(name), "weights cannot be stored as plain integers",
                     "a floating-point or quantised type", std::string(to_string(quant)));
  }
  Model model = empty_model(name, shape);
  const std::uint32_t block = block_shape(quant).elements;
  for (const TensorSlot& slot : tensor_slots(model)) {
    if (slot.presence != Presence::kRequired) continue;
    const auto& [form, columns, rows, matrices] = slot.extent;
    if (form == TensorForm::kMatrix && columns % block != 0) {
      // The 32-element types divide most shapes, f16 all of them.
      return bad_input(fmt::format("{}: tensor {}", name, slot.name),
                       fmt::format("cannot be stored as {}", to_string(quant)),
                       fmt::format("columns a multiple of {} ({} would do)", block,
                                   columns % 32 == 0 ? "q4_0 or q8_0" : "f16"),
                       fmt::format("{} columns", columns));
    }
    slot.store({form == TensorForm::kMatrix ? quant : TensorType::kF32, columns, rows, matrices});
  }
  return model;
}

}  // namespace spanker
