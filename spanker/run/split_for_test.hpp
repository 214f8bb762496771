#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "spanker/base/random.hpp"
#include "spanker/model/dequantise_for_test.hpp"
#include "spanker/plan/plan.hpp"
#include "spanker/run/plans_for_test.hpp"

// What tests of splits ask, and how they judge the answers.
namespace spanker::testing {

inline std::vector<std::uint32_t> some_tokens(std::size_t count, std::uint32_t vocabulary,
                                              std::uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<std::uint32_t> tokens;
  for (std::size_t i = 0; i < count; ++i) {
    tokens.push_back(static_cast<std::uint32_t>(random.next() % vocabulary));
  }
  return tokens;
}

/// Plans of each kind, on up to 8 cards: even and uneven shares, more cards than kv heads and than heads,
/// cards without heads or columns or rows, stages of different widths.
inline std::vector<Plan> many_plans(const Problem& problem) {
  return {
      plan_of(problem, {even(2)}),
      plan_of(problem, {even(3)}),
      plan_of(problem, {even(4)}),
      plan_of(problem, {even(5)}),
      plan_of(problem, {even(8)}),
      plan_of(problem, {{{5, 3}, {1, 7}, {2, 1}}}),
      plan_of(problem, {{{1, 2, 0}, {0, 1, 2}, {1, 0, 1}}}),
      plan_of(problem, {{{0, 0, 1, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}}}),
      plan_of(problem, {even(1), even(1)}),
      plan_of(problem, {even(1), even(1), even(1), even(1)}),
      plan_of(problem, {even(2), even(1)}),
      plan_of(problem, {even(1), even(2), even(3)}),
      plan_of(problem, {{{3, 1}, {1, 3}, {0, 1}}, {{1, 2, 1}, {0, 1, 1}, {1, 0, 2}}}),
  };
}

inline std::string shown(const Plan& plan) {
  std::string text;
  for (const Stage& stage : plan.stages) {
    text +=
        "stage of layers " + std::to_string(stage.first_layer) + " to " + std::to_string(stage.last_layer);
    for (std::size_t i = 0; i < stage.cards.size(); ++i) {
      text += ", card " + std::to_string(stage.cards[i]) + ": " +
              std::to_string(stage.shares.query_heads[i]) + " heads " +
              std::to_string(stage.shares.ffn_columns[i]) + " columns " +
              std::to_string(stage.shares.vocabulary_rows[i]) + " rows";
    }
    text += "\n";
  }
  return text;
}

inline double greatest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double greatest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) greatest = std::max(greatest, std::abs(double{a[i]} - b[i]));
  return greatest;
}

inline ModelShape wide_shape() {
  return {Architecture::kLlama, 4, 128, 192, 8, 2, 16, 300, 256, 1e-5, 10000, false};
}

/// The same with more to quantise.
inline ModelShape wider_shape() {
  ModelShape shape = wide_shape();
  shape.hidden_size = 256;
  shape.intermediate_size = 512;
  shape.head_dim = 32;
  return shape;
}

/// The root of the mean square of the differences, in deviations of the logits.
inline double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += std::pow(double{a[i]} - b[i], 2);
  return std::sqrt(squares / static_cast<double>(a.size())) / moments(b).deviation;
}

/// How far apart quantised runs that add up in another order may be: activations that differ in their last
/// bits are sometimes rounded to different 8-bit numbers, and in the worst case as if both roundings were
/// independent. Each has an error of 0.0048 of what it rounds (oracle_test.cpp), so one product differs by
/// sqrt(2) * 0.0048, and the logits by as much for each product that leads to them: 4 a layer and the last,
/// whose errors add up as squares.
inline double quantised_bound(const ModelShape& shape) {
  return std::sqrt(2.0) * 0.0048 * std::sqrt(4.0 * shape.num_hidden_layers + 1);
}

}  // namespace spanker::testing
