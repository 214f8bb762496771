#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "spanker/steps/step_graph.hpp"

// Internal to this module.
namespace spanker {

/// Kernels of one card that follow one another on the same rows, from a vector of activations to another: the
/// embedding, a layer's attention, its network, or the logits.
struct KernelRun {
  std::vector<StepId> steps;
};

/// An exchange that a card takes part in, as an index into the graph's.
struct ExchangeCall {
  std::uint32_t exchange;
};

/// What one card does in a pass, in this order: its kernels and its exchanges.
using CardProgram = std::vector<std::variant<KernelRun, ExchangeCall>>;

CardProgram card_program(const StepGraph& graph, CardId card);

}  // namespace spanker
