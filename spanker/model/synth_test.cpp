#include "spanker/model/synth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "spanker/base/file_size_limit_for_test.hpp"
#include "spanker/base/folder_for_test.hpp"
#include "spanker/base/format_quantity.hpp"
#include "spanker/model/dequantise_for_test.hpp"
#include "spanker/model/gguf.hpp"
#include "spanker/model/load.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

namespace fs = std::filesystem;

bool go_on(Bytes, Bytes) { return true; }

Model small(Architecture architecture, TensorType quant, bool tied = false) {
  const ModelShape shape{architecture, 2, 64, 96, 4, 2, 16, 320, 128, 1e-5, 10000, tied};
  return make_model("small", shape, quant).value();
}

/// FNV-1a of 64 bits (draft-eastlake-fnv).
std::uint64_t hash(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

class Synth : public testing::FolderTest {
 protected:
  std::string old_file(const std::string& name) const {
    std::ofstream(path(name)) << "old";
    return path(name);
  }
  std::string written(const Model& model, std::uint64_t seed = 1) const {
    const auto bytes = write_synthetic_gguf(model, seed, path("out.gguf"), go_on);
    EXPECT_TRUE(bytes) << to_line(bytes.error());
    std::string all = folder_.content("out.gguf");
    EXPECT_EQ(bytes->value, all.size());
    return all;
  }
  /// That writing to `path` fails so and that the folder holds as many files as before.
  void expect_failure(const std::string& path, const std::string& line,
                      const ProgressCallback& progress = go_on) const {
    const std::size_t before = folder_.entries();
    const auto result =
        write_synthetic_gguf(small(Architecture::kLlama, TensorType::kF32), 1, path, progress);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kIo);
    EXPECT_EQ(to_line(result.error()), line);
    EXPECT_EQ(folder_.entries(), before);
  }
};

TEST_F(Synth, ReadsBackAsTheModel) {
  for (const auto architecture : {Architecture::kLlama, Architecture::kQwen2, Architecture::kQwen3}) {
    for (const auto quant : {TensorType::kQ4_0, TensorType::kQ8_0, TensorType::kF16, TensorType::kF32}) {
      for (const bool tied : {false, true}) {
        const Model model = small(architecture, quant, tied);
        const std::string bytes = written(model, 5);
        const auto file = GgufFile::parse(std::as_bytes(std::span(bytes)), "out.gguf");
        ASSERT_TRUE(file) << to_line(file.error());
        const auto read = load_model(path("out.gguf"), std::nullopt);
        ASSERT_TRUE(read) << to_line(read.error());
        EXPECT_EQ(read->name, "small");
        EXPECT_EQ(read->shape, model.shape);
        EXPECT_EQ(named_tensors(*read), named_tensors(model));
        EXPECT_EQ(file->string("general.description").value(),
                  "Random weights of seed 5, not a trained model");
        const std::uint32_t file_type = quant == TensorType::kQ8_0   ? 7
                                        : quant == TensorType::kQ4_0 ? 2
                                        : quant == TensorType::kF16  ? 1
                                                                     : 0;
        EXPECT_EQ(file->uint32("general.file_type").value(), file_type);
        EXPECT_EQ(file->uint32("general.quantization_version").value(), 2u);
        EXPECT_EQ(file->uint32("general.alignment").value(), 32u);
        EXPECT_EQ(file->array_length("tokenizer.ggml.tokens").value(), 320u);
        // In the order of the model, and the last one ends the file.
        std::vector<std::string> names;
        for (const GgufTensor& tensor : file->tensors()) names.push_back(tensor.name);
        std::vector<std::string> wanted;
        for (const NamedTensor& named : named_tensors(model)) wanted.push_back(named.name);
        EXPECT_EQ(names, wanted);
        const GgufTensor& last = file->tensors().back();
        EXPECT_EQ((last.offset + last.bytes.value + 31) / 32 * 32, bytes.size());
      }
    }
  }
}

TEST_F(Synth, TheSameBytesEverywhere) {
  // Written down once: another compiler and another machine must come to the same. What is meant to change in
  // the header changes these, too.
  EXPECT_EQ(hash(written(small(Architecture::kLlama, TensorType::kQ4_0))), 17887033761751304080u);
  EXPECT_EQ(hash(written(small(Architecture::kLlama, TensorType::kQ8_0))), 10834975806160405389u);
  EXPECT_EQ(hash(written(small(Architecture::kQwen2, TensorType::kF16))), 13700307534900552690u);
  EXPECT_EQ(hash(written(small(Architecture::kQwen3, TensorType::kF32, true), 99)), 3798939938335751087u);
}

TEST_F(Synth, SeedsAndTensorsDiffer) {
  const Model model = small(Architecture::kLlama, TensorType::kQ4_0);
  const std::string one = written(model, 1);
  const std::string two = written(model, 2);
  EXPECT_NE(one, two);
  EXPECT_EQ(one, written(model, 1));
  const auto file = GgufFile::parse(std::as_bytes(std::span(one)), "one.gguf").value();
  const auto data = [&](const char* name) {
    const auto span = file.data(*file.find_tensor(name));
    return std::vector<std::byte>(span.begin(), span.end());
  };
  EXPECT_NE(data("blk.0.ffn_up.weight"), data("blk.1.ffn_up.weight"));
  EXPECT_NE(data("blk.0.ffn_up.weight"), data("blk.0.ffn_gate.weight"));
}

/// The logits that a llama gives for one token alone at position 0, where attention is the value itself and
/// rotation does nothing.
class FirstToken {
 public:
  FirstToken(const GgufFile& file, const ModelShape& shape) : file_(file), shape_(shape) {}

  std::vector<float> logits(std::size_t token) const {
    const std::size_t hidden = shape_.hidden_size;
    const std::vector<float> table = tensor("token_embd.weight");
    std::vector<float> x(&table[token * hidden], &table[token * hidden] + hidden);
    for (std::uint32_t layer = 0; layer < shape_.num_hidden_layers; ++layer) {
      const auto name = [&](const char* role) {
        return "blk." + std::to_string(layer) + "." + role + ".weight";
      };
      const std::vector<float> values = times(name("attn_v"), normed(x, name("attn_norm")));
      std::vector<float> heads;
      for (std::uint32_t head = 0; head < shape_.num_attention_heads; ++head) {
        const std::uint32_t shared = head / (shape_.num_attention_heads / shape_.num_key_value_heads);
        for (std::uint32_t i = 0; i < shape_.head_dim; ++i)
          heads.push_back(values[shared * shape_.head_dim + i]);
      }
      add(x, times(name("attn_output"), heads));
      const std::vector<float> y = normed(x, name("ffn_norm"));
      std::vector<float> gate = times(name("ffn_gate"), y);
      const std::vector<float> up = times(name("ffn_up"), y);
      for (std::size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
      add(x, times(name("ffn_down"), gate));
    }
    return times("output.weight", normed(x, "output_norm.weight"));
  }

 private:
  std::vector<float> tensor(const std::string& name) const {
    const GgufTensor& found = *file_.find_tensor(name);
    return testing::dequantised(found.type, file_.data(found));
  }
  std::vector<float> times(const std::string& name, const std::vector<float>& x) const {
    const std::vector<float> weights = tensor(name);
    std::vector<float> y(weights.size() / x.size());
    for (std::size_t row = 0; row < y.size(); ++row) {
      for (std::size_t i = 0; i < x.size(); ++i) y[row] += weights[row * x.size() + i] * x[i];
    }
    return y;
  }
  std::vector<float> normed(std::vector<float> x, const std::string& name) const {
    const std::vector<float> weights = tensor(name);
    float squares = 0;
    for (const float value : x) squares += value * value;
    const float scale =
        1 / std::sqrt(squares / static_cast<float>(x.size()) + static_cast<float>(shape_.rms_norm_eps));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= scale * weights[i];
    return x;
  }
  static void add(std::vector<float>& x, const std::vector<float>& y) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }

  const GgufFile& file_;
  const ModelShape& shape_;
};

TEST_F(Synth, GivesLogitsThatDependOnTheToken) {
  for (const auto quant : {TensorType::kQ4_0, TensorType::kQ8_0, TensorType::kF16, TensorType::kF32}) {
    const ModelShape shape{Architecture::kLlama, 12, 256, 512, 8, 2, 32, 1000, 128, 1e-5, 10000, false};
    const std::string bytes = written(make_model("deep", shape, quant).value());
    const auto file = GgufFile::parse(std::as_bytes(std::span(bytes)), "deep.gguf").value();
    const FirstToken model(file, shape);
    const std::vector<float> one = model.logits(17);
    const std::vector<float> other = model.logits(400);
    // A deviation of 1 and a maximum of a few: no token is certain, and not all are alike.
    EXPECT_NEAR(testing::moments(one).mean, 0, 0.2) << to_string(quant);
    EXPECT_NEAR(testing::moments(one).deviation, 1, 0.15) << to_string(quant);
    EXPECT_LT(std::ranges::max(one), 6) << to_string(quant);
    double product = 0;
    for (std::size_t i = 0; i < one.size(); ++i) product += double{one[i]} * other[i];
    EXPECT_LT(std::abs(product / 1000), 0.5) << to_string(quant);
  }
}

TEST_F(Synth, TellsHowFarItIs) {
  // 2 MB of f32 in one matrix, so that it takes more than a piece.
  const ModelShape shape{Architecture::kLlama, 1, 64, 8192, 4, 2, 16, 320, 128, 1e-5, 10000, true};
  std::vector<std::uint64_t> steps;
  std::uint64_t whole = 0;
  const auto bytes = write_synthetic_gguf(make_model("wide", shape, TensorType::kF32).value(), 1,
                                          path("out.gguf"), [&](Bytes done, Bytes total) {
                                            EXPECT_FALSE(fs::exists(path("out.gguf")));
                                            steps.push_back(done.value);
                                            whole = total.value;
                                            return true;
                                          });
  ASSERT_TRUE(bytes);
  EXPECT_EQ(whole, fs::file_size(path("out.gguf")));
  EXPECT_EQ(steps.back(), whole);
  for (std::size_t i = 1; i < steps.size(); ++i) {
    EXPECT_GT(steps[i], steps[i - 1]);
    EXPECT_LE(steps[i] - steps[i - 1], (1u << 20) + 32);
  }
}

TEST_F(Synth, StopsWhenToldAndLeavesTheOldFile) {
  const std::string name = old_file("out.gguf");
  int calls = 0;
  expect_failure(name, name + ": interrupted before all was written",
                 [&](Bytes, Bytes) { return ++calls < 5; });
  EXPECT_EQ(calls, 5);
  EXPECT_EQ(folder_.content(name), "old");
}

TEST_F(Synth, AFullDiskIsToldBeforeAnythingIsWritten) {
  const Bytes size(written(small(Architecture::kLlama, TensorType::kF32)).size());
  const std::string name = old_file("out.gguf");
  {
    const testing::FileSizeLimit limit(100'000);
    expect_failure(name, name + ": cannot reserve " + format(size) + ": File too large", [](Bytes, Bytes) {
      ADD_FAILURE() << "something was written";
      return true;
    });
  }
  EXPECT_EQ(folder_.content(name), "old");
}

TEST_F(Synth, PlacesThatCannotBeWritten) {
  expect_failure(path("none/out.gguf"),
                 path("none/out.gguf") + ": cannot create a file beside it: No such file or directory");
  fs::create_directory(path("folder"));
  expect_failure(path("folder"),
                 path("folder") + ": cannot be written, wanted a regular file, got a directory");
  expect_failure("/dev/null", "/dev/null: cannot be written, wanted a regular file, got a pipe or device");
  const std::string file = old_file("file");
  expect_failure(file + "/out.gguf", file + "/out.gguf: cannot create a file beside it: Not a directory");
}

TEST_F(Synth, WhatCannotBeMadeLeavesNothing) {
  const ModelShape shape{Architecture::kLlama, 1, 256, 256, 4, 2, 64, 320, 128, 1e-5, 10000, false};
  const auto other_type =
      write_synthetic_gguf(make_model("m", shape, TensorType::kQ4_K).value(), 1, path("out.gguf"), go_on);
  ASSERT_FALSE(other_type);
  EXPECT_EQ(other_type.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(other_type.error().where, "tensor token_embd.weight");
  ModelShape few_tokens = shape;
  few_tokens.vocab_size = 100;
  const auto too_small =
      write_synthetic_gguf(make_model("m", few_tokens, TensorType::kF32).value(), 1, path("out.gguf"), go_on);
  ASSERT_FALSE(too_small);
  EXPECT_EQ(too_small.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(too_small.error().where, "m: vocab_size");
  EXPECT_EQ(folder_.entries(), 0u);
}

}  // namespace
}  // namespace spanker
