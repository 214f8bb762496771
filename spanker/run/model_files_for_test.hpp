#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "spanker/base/float16.hpp"
#include "spanker/base/folder_for_test.hpp"
#include "spanker/base/random.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/model/tensor_table.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/run/run_cards.hpp"

namespace spanker::testing {

inline double uniform(SplitMix64& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }

/// Stored values with a mean of about 0 and about that deviation, of a type that is run.
inline std::string random_stored(const Tensor& tensor, double deviation, SplitMix64& random) {
  std::string bytes(tensor.bytes().value, '\0');
  const BlockShape block = block_shape(tensor.type);
  const auto put = [&](std::size_t at, auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
  const auto half = [](double value) { return half_from_float(static_cast<float>(value)); };
  const auto varied = [&](double value) { return value * (0.75 + uniform(random) / 2); };
  for (std::size_t at = 0; at < bytes.size(); at += block.bytes) {
    const double value = (2 * uniform(random) - 1) * std::sqrt(3.0) * deviation;
    if (tensor.type == TensorType::kF32) {
      put(at, static_cast<float>(value));
      continue;
    }
    if (tensor.type == TensorType::kF16) {
      put(at, half(value));
      continue;
    }
    if (tensor.type == TensorType::kBF16) {
      put(at, static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16));
      continue;
    }
    for (std::size_t i = 0; i < block.bytes; ++i) bytes[at + i] = static_cast<char>(random.next());
    // Integers of these deviations, times the scales.
    if (tensor.type == TensorType::kQ4_0) put(at, half(varied(deviation / 4.6)));
    if (tensor.type == TensorType::kQ8_0) {
      put(at, half(varied(deviation / 73.5)));
      for (std::size_t i = 2; i < block.bytes; ++i) {
        if (bytes[at + i] == char(-128)) bytes[at + i] = 0;  // as quantising never makes it
      }
    }
    if (tensor.type == TensorType::kQ4_K) {
      // 0 to 15 by scales of 0 to 63, less minima of as much: about the middle of those.
      put(at, half(varied(deviation / 250)));
      put(at + 2, half(varied(deviation / 250 * 7.5)));
    }
    if (tensor.type == TensorType::kQ6_K) put(at + 208, half(varied(deviation / 1370)));
  }
  return bytes;
}

/// A GGUF file of the model with random weights from the writer of ours, without a tokenizer.
inline std::string random_gguf(
    const Model& model, std::uint64_t seed,
    const std::function<void(GgufWriter&)>& more_keys = [](GgufWriter&) {}) {
  GgufWriter writer;
  put_model(writer, model);
  more_keys(writer);
  std::string bytes = writer.header();
  SplitMix64 random(seed);
  for (const NamedTensor& named : named_tensors(model)) {
    const Tensor& tensor = named.tensor;
    const bool is_vector = tensor.rows == 1;
    if (is_vector && tensor.type == TensorType::kF32 && !named.name.ends_with(".bias")) {
      for (std::uint64_t i = 0; i < tensor.columns; ++i) {
        const auto value = static_cast<float>(0.75 + uniform(random) / 2);
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
      }
    } else {
      const double deviation = is_vector ? 0.1 : 1 / std::sqrt(static_cast<double>(tensor.columns));
      bytes += random_stored(tensor, deviation, random);
    }
    bytes.resize(gguf_padded(bytes.size()));
  }
  return bytes;
}

template <class T>
T must_be(Result<T> result) {
  if (!result) throw std::runtime_error(to_line(result.error()));
  return std::move(*result);
}

/// What a teacher asks for: the logits after the prompt's last token, and after each of `forced`.
struct Forced {
  std::vector<std::uint32_t> prompt;
  std::vector<std::uint32_t> forced;
};

inline std::vector<std::vector<float>> forced_logits(const ModelFile& file, const Problem& problem,
                                                     const Plan& plan, const Forced& teacher,
                                                     std::size_t threads = 1) {
  const auto cards = must_be(load_cards(file, problem, plan, threads, Bytes(std::uint64_t{1} << 40)));
  std::vector<std::vector<float>> all;
  const auto next = [&](std::span<const float> logits) -> std::optional<std::uint32_t> {
    all.emplace_back(logits.begin(), logits.end());
    if (all.size() > teacher.forced.size()) return std::nullopt;
    return teacher.forced[all.size() - 1];
  };
  must_be(run_cards(file, problem, plan, cards, teacher.prompt, next));
  return all;
}

inline std::uint32_t likeliest(std::span<const float> logits) {
  return static_cast<std::uint32_t>(std::ranges::max_element(logits) - logits.begin());
}

inline std::vector<std::uint32_t> greedy_tokens(const ModelFile& file, const Problem& problem,
                                                const Plan& plan, const std::vector<std::uint32_t>& prompt,
                                                std::size_t count, std::size_t threads = 1) {
  const auto cards = must_be(load_cards(file, problem, plan, threads, Bytes(std::uint64_t{1} << 40)));
  std::vector<std::uint32_t> tokens;
  const auto next = [&](std::span<const float> logits) -> std::optional<std::uint32_t> {
    tokens.push_back(likeliest(logits));
    if (tokens.size() == count) return std::nullopt;
    return tokens.back();
  };
  must_be(run_cards(file, problem, plan, cards, prompt, next));
  return tokens;
}

}  // namespace spanker::testing
