#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "spanker/model/dequantise_for_test.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/model/model.hpp"

namespace spanker::testing {

/// A forward pass as the papers write it, of whole tensors in float, with sums in double: no cache, no tiles,
/// no threads, no cards, and nothing of what is under test.
class Oracle {
 public:
  Oracle(const GgufFiles& files, const Model& model) : files_(files), model_(model), shape_(model.shape) {}

  /// Of each token the logits of what follows it.
  std::vector<std::vector<float>> logits(std::span<const std::uint32_t> tokens) const {
    const std::vector<float> table = tensor("token_embd.weight");
    Rows x;
    for (const std::uint32_t token : tokens) {
      const auto row = table.begin() + static_cast<std::ptrdiff_t>(token * hidden());
      x.emplace_back(row, row + static_cast<std::ptrdiff_t>(hidden()));
    }
    for (std::uint32_t layer = 0; layer < shape_.num_hidden_layers; ++layer) {
      add(x, attention(layer, normed(x, tensor(name(layer, "attn_norm.weight")))));
      add(x, network(layer, normed(x, tensor(name(layer, "ffn_norm.weight")))));
    }
    return product(normed(x, tensor("output_norm.weight")), model_.output ? tensor("output.weight") : table);
  }

  /// Takes the likeliest token, again and again.
  std::vector<std::uint32_t> greedy(std::vector<std::uint32_t> tokens, std::size_t count) const {
    std::vector<std::uint32_t> chosen;
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<float> last = logits(tokens).back();
      chosen.push_back(static_cast<std::uint32_t>(std::ranges::max_element(last) - last.begin()));
      tokens.push_back(chosen.back());
    }
    return chosen;
  }

 private:
  using Rows = std::vector<std::vector<float>>;

  std::size_t hidden() const { return shape_.hidden_size; }
  static std::string name(std::uint32_t layer, const std::string& rest) {
    return "blk." + std::to_string(layer) + "." + rest;
  }

  bool has(const std::string& tensor_name) const { return files_.find_tensor(tensor_name) != nullptr; }
  std::vector<float> tensor(const std::string& tensor_name) const {
    const PlacedTensor& placed = *files_.find_tensor(tensor_name);
    return dequantised(placed.tensor->type, placed.data());
  }

  static void add(Rows& x, const Rows& y) {
    for (std::size_t t = 0; t < x.size(); ++t) {
      for (std::size_t i = 0; i < x[t].size(); ++i) x[t][i] += y[t][i];
    }
  }

  void norm(std::span<float> x, std::span<const float> weight) const {
    double squares = 0;
    for (const double value : x) squares += value * value;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + shape_.rms_norm_eps);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(x[i] * scale * weight[i]);
  }

  Rows normed(Rows x, const std::vector<float>& weight) const {
    for (std::vector<float>& row : x) norm(row, weight);
    return x;
  }

  /// y = W x for each row, where W is [outputs][inputs].
  static Rows product(const Rows& x, const std::vector<float>& matrix) {
    const std::size_t inputs = x.front().size();
    const std::size_t outputs = matrix.size() / inputs;
    Rows y(x.size(), std::vector<float>(outputs));
    for (std::size_t t = 0; t < x.size(); ++t) {
      for (std::size_t o = 0; o < outputs; ++o) {
        double sum = 0;
        for (std::size_t i = 0; i < inputs; ++i) sum += static_cast<double>(matrix[o * inputs + i]) * x[t][i];
        y[t][o] = static_cast<float>(sum);
      }
    }
    return y;
  }

  Rows projected(std::uint32_t layer, const std::string& which, const Rows& x) const {
    Rows y = product(x, tensor(name(layer, which + ".weight")));
    const std::string bias = name(layer, which + ".bias");
    if (has(bias)) add(y, Rows(y.size(), tensor(bias)));
    return y;
  }

  /// Norms where the model has them, and rotation, of each head.
  void prepare_heads(std::uint32_t layer, const std::string& norm_name, Rows& x) const {
    const std::size_t size = shape_.head_dim;
    const std::string full_name = name(layer, norm_name);
    const std::vector<float> weight = has(full_name) ? tensor(full_name) : std::vector<float>();
    const std::vector<float> factors =
        has("rope_freqs.weight") ? tensor("rope_freqs.weight") : std::vector<float>(size / 2, 1.0f);
    const bool qwen =
        shape_.architecture == Architecture::kQwen2 || shape_.architecture == Architecture::kQwen3;
    for (std::size_t t = 0; t < x.size(); ++t) {
      for (std::size_t at = 0; at < x[t].size(); at += size) {
        const std::span<float> head(x[t].data() + at, size);
        if (!weight.empty()) norm(head, weight);
        for (std::size_t i = 0; i < size / 2; ++i) {
          const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(size);
          const double angle = static_cast<double>(t) * std::pow(shape_.rope_theta, exponent) /
                               static_cast<double>(factors[i]);
          float& a = qwen ? head[i] : head[2 * i];
          float& b = qwen ? head[i + size / 2] : head[2 * i + 1];
          const double old_a = a;
          const double old_b = b;
          a = static_cast<float>(old_a * std::cos(angle) - old_b * std::sin(angle));
          b = static_cast<float>(old_a * std::sin(angle) + old_b * std::cos(angle));
        }
      }
    }
  }

  Rows attention(std::uint32_t layer, const Rows& x) const {
    Rows queries = projected(layer, "attn_q", x);
    Rows keys = projected(layer, "attn_k", x);
    const Rows values = projected(layer, "attn_v", x);
    prepare_heads(layer, "attn_q_norm.weight", queries);
    prepare_heads(layer, "attn_k_norm.weight", keys);
    const std::size_t size = shape_.head_dim;
    const std::size_t queries_of_key = shape_.num_attention_heads / shape_.num_key_value_heads;
    Rows mixed(x.size(), std::vector<float>(queries.front().size()));
    for (std::size_t t = 0; t < x.size(); ++t) {
      for (std::size_t head = 0; head < shape_.num_attention_heads; ++head) {
        const std::size_t of_query = head * size;
        const std::size_t of_key = head / queries_of_key * size;
        std::vector<double> weights;
        for (std::size_t p = 0; p <= t; ++p) {
          double score = 0;
          for (std::size_t i = 0; i < size; ++i) {
            score += static_cast<double>(queries[t][of_query + i]) * keys[p][of_key + i];
          }
          weights.push_back(score / std::sqrt(static_cast<double>(size)));
        }
        const double greatest = *std::ranges::max_element(weights);
        double sum = 0;
        for (double& weight : weights) sum += weight = std::exp(weight - greatest);
        for (std::size_t i = 0; i < size; ++i) {
          double value = 0;
          for (std::size_t p = 0; p <= t; ++p) value += weights[p] / sum * values[p][of_key + i];
          mixed[t][of_query + i] = static_cast<float>(value);
        }
      }
    }
    return projected(layer, "attn_output", mixed);
  }

  Rows network(std::uint32_t layer, const Rows& x) const {
    Rows gate = product(x, tensor(name(layer, "ffn_gate.weight")));
    const Rows up = product(x, tensor(name(layer, "ffn_up.weight")));
    for (std::size_t t = 0; t < gate.size(); ++t) {
      for (std::size_t i = 0; i < gate[t].size(); ++i) {
        gate[t][i] =
            static_cast<float>(gate[t][i] / (1 + std::exp(-static_cast<double>(gate[t][i]))) * up[t][i]);
      }
    }
    return product(gate, tensor(name(layer, "ffn_down.weight")));
  }

  const GgufFiles& files_;
  const Model& model_;
  const ModelShape& shape_;
};

}  // namespace spanker::testing
