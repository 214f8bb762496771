#include "spanker/run/card_weights.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

struct Range {
  std::uint64_t begin;
  std::uint64_t end;
};

/// The part of a card of shares that are dealt in order.
template <class T>
Range range_of(const std::vector<T>& shares, std::size_t rank) {
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < rank; ++i) begin += shares[i];
  return {begin, begin + shares[rank]};
}

/// Which bytes of a file are a card's.
class OwnBytes {
 public:
  OwnBytes(const GgufFile& file, std::size_t size) : file_(file), own_(size, false) {
    std::uint64_t data = size;
    for (const GgufTensor& tensor : file.tensors()) data = std::min(data, tensor.offset);
    std::fill(own_.begin(), own_.begin() + static_cast<std::ptrdiff_t>(data), true);
  }

  /// Rows and columns of a matrix, where a vector is one row; nothing where there is no such tensor.
  void add(const std::string& name, Range rows, Range columns) {
    const GgufTensor* tensor = file_.find_tensor(name);
    if (tensor == nullptr) return;
    const BlockShape block = block_shape(tensor->type);
    const auto bytes = [&](std::uint64_t elements) { return elements / block.elements * block.bytes; };
    for (std::uint64_t row = rows.begin; row < rows.end; ++row) {
      const std::uint64_t first = tensor->offset + row * bytes(tensor->dimensions[0]);
      for (std::uint64_t at = first + bytes(columns.begin); at < first + bytes(columns.end); ++at)
        own_[at] = true;
    }
  }

  /// 0xFF, which makes NaN of every float and scale, in the place of all others.
  std::string poisoned(std::string bytes) const {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (!own_[i]) bytes[i] = static_cast<char>(0xFF);
    }
    return bytes;
  }

 private:
  const GgufFile& file_;
  std::vector<bool> own_;
};

std::string poisoned_but_for(const ModelFile& file, const std::string& bytes, const Plan& plan,
                             std::size_t stage_index, std::size_t rank) {
  const ModelShape& shape = file.model.shape;
  const Stage& stage = plan.stages[stage_index];
  const Range hidden{0, shape.hidden_size};
  const Range heads = range_of(stage.shares.query_heads, rank);
  const std::uint32_t group = shape.num_attention_heads / shape.num_key_value_heads;
  const Range queries{heads.begin * shape.head_dim, heads.end * shape.head_dim};
  const Range keys{heads.begin / group * shape.head_dim, ((heads.end + group - 1) / group) * shape.head_dim};
  const Range columns = range_of(stage.shares.ffn_columns, rank);
  const Range rows = range_of(stage.shares.vocabulary_rows, rank);
  OwnBytes own(file.files.metadata(), bytes.size());
  own.add("rope_freqs.weight", {0, 1}, {0, shape.head_dim / 2});
  for (std::uint32_t i = stage.first_layer; i <= stage.last_layer; ++i) {
    const std::string layer = "blk." + std::to_string(i) + ".";
    if (heads.begin < heads.end) {
      own.add(layer + "attn_norm.weight", {0, 1}, hidden);
      own.add(layer + "attn_q.weight", queries, hidden);
      own.add(layer + "attn_k.weight", keys, hidden);
      own.add(layer + "attn_v.weight", keys, hidden);
      own.add(layer + "attn_output.weight", hidden, queries);
      own.add(layer + "attn_q.bias", {0, 1}, queries);
      own.add(layer + "attn_k.bias", {0, 1}, keys);
      own.add(layer + "attn_v.bias", {0, 1}, keys);
      if (heads.begin == 0) own.add(layer + "attn_output.bias", {0, 1}, hidden);
      own.add(layer + "attn_q_norm.weight", {0, 1}, {0, shape.head_dim});
      own.add(layer + "attn_k_norm.weight", {0, 1}, {0, shape.head_dim});
    }
    if (columns.begin < columns.end) {
      own.add(layer + "ffn_norm.weight", {0, 1}, hidden);
      own.add(layer + "ffn_gate.weight", columns, hidden);
      own.add(layer + "ffn_up.weight", columns, hidden);
      own.add(layer + "ffn_down.weight", hidden, columns);
    }
  }
  const bool is_last = stage_index + 1 == plan.stages.size();
  if (stage_index == 0) own.add("token_embd.weight", rows, hidden);
  if (is_last && rows.begin < rows.end) {
    own.add(file.model.output ? "output.weight" : "token_embd.weight", rows, hidden);
    own.add("output_norm.weight", {0, 1}, hidden);
  }
  return own.poisoned(bytes);
}

/// The logits of a prompt and two tokens, where each card reads a file of its own.
std::vector<std::vector<float>> logits_of(const std::vector<std::string>& paths, const Problem& problem,
                                          const Plan& plan) {
  std::vector<std::unique_ptr<Card>> cards;
  const auto shards = shards_of(problem, plan);
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const ModelFile file = must_be(ModelFile::open(paths[i]));
    cards.push_back(must_be(Card::load(file, problem, shards[i], 1, 0)));
  }
  std::vector<std::vector<float>> all;
  const auto next = [&](std::span<const float> logits) -> std::optional<std::uint32_t> {
    all.emplace_back(logits.begin(), logits.end());
    return all.size() < 3 ? std::optional(static_cast<std::uint32_t>(all.size() * 50)) : std::nullopt;
  };
  const std::vector<std::uint32_t> prompt = {1, 299, 150, 70, 2};
  const ModelFile first = must_be(ModelFile::open(paths.front()));
  must_be(run_cards(first, problem, plan, cards, prompt, next));
  return all;
}

TEST(CardWeights, ACardReadsNothingButItsShard) {
  const Folder folder;
  for (const Architecture architecture : {Architecture::kLlama, Architecture::kQwen2, Architecture::kQwen3}) {
    for (const TensorType type : {TensorType::kF32, TensorType::kQ4_0}) {
      for (const bool tied : {false, true}) {
        SCOPED_TRACE(std::string(to_string(architecture)) + " " + std::string(to_string(type)));
        const ModelShape shape{architecture, 3, 64, 96, 8, 2, 16, 300, 128, 1e-5, 10000, tied};
        Model model = must_be(make_model("small", shape, type));
        model.rope_frequencies = Tensor{TensorType::kF32, 8, 1};
        for (LayerTensors& layer : model.layers)
          layer.attention_output_bias = Tensor{TensorType::kF32, 64, 1};
        const std::string bytes = random_gguf(model, 3);
        const std::string clean = folder.write("clean.gguf", bytes);
        const ModelFile file = must_be(ModelFile::open(clean));
        const Problem problem = plain_problem(file, 5, plain_workload(5, 8));
        for (const Plan& plan :
             {plan_of(problem, {even(3)}), plan_of(problem, {{{0, 3, 1}, {1, 2, 0}, {1, 0, 3}}}),
              plan_of(problem, {even(2), {{1, 1, 1}, {1, 0, 1}, {2, 1, 1}}})}) {
          std::vector<std::string> paths;
          for (std::size_t stage = 0; stage < plan.stages.size(); ++stage) {
            for (std::size_t rank = 0; rank < plan.stages[stage].cards.size(); ++rank) {
              paths.push_back(folder.write("card" + std::to_string(paths.size()) + ".gguf",
                                           poisoned_but_for(file, bytes, plan, stage, rank)));
            }
          }
          const std::vector<std::string> clean_paths(paths.size(), clean);
          EXPECT_EQ(logits_of(paths, problem, plan), logits_of(clean_paths, problem, plan));
        }
      }
    }
  }
}

}  // namespace
}  // namespace spanker
