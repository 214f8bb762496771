#include "spanker/cost/cost.hpp"

#include <algorithm>
#include <array>

namespace spanker {
namespace {

constexpr std::array kTerms = {
    CostTerm{"memory", &Cost::memory},
    CostTerm{"compute", &Cost::compute},
    CostTerm{"link_bandwidth", &Cost::link_bandwidth},
    CostTerm{"link_latency", &Cost::link_latency},
    CostTerm{"host_link", &Cost::host_link},
    CostTerm{"overhead", &Cost::overhead},
};

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  for (const CostTerm& term : kTerms) this->*term.seconds += other.*term.seconds;
  return *this;
}

Cost operator*(const Cost& cost, double times) {
  Cost product;
  for (const CostTerm& term : kTerms) product.*term.seconds = cost.*term.seconds * times;
  return product;
}

std::span<const CostTerm> cost_terms() { return kTerms; }

std::string_view largest_term(const Cost& cost) {
  return std::ranges::max_element(kTerms, {}, [&](const CostTerm& term) { return cost.*term.seconds; })->name;
}

Cost operator_cost(const Operator& op, const CardRates& card) {
  Cost cost;
  if (op.bytes.value == 0 && op.ops.value == 0) return cost;
  const Seconds memory = op.bytes / card.memory_bandwidth;
  const Seconds compute = op.ops / card.compute;
  (memory >= compute ? cost.memory : cost.compute) = std::max(memory, compute);
  cost.overhead = card.step_overhead;
  return cost;
}

Cost operators_cost(std::span<const Operator> operators, const CardRates& card) {
  Cost cost;
  for (const Operator& op : operators) cost += operator_cost(op, card);
  return cost;
}

Cost part_cost(const Operator& part, const Operator& whole, const CardRates& card) {
  const Cost cost = operator_cost(part, card);
  if (card.serial_share == 0 || (part.bytes.value == 0 && part.ops.value == 0)) return cost;
  return cost * (1 - card.serial_share) + operator_cost(whole, card) * card.serial_share;
}

Cost parts_cost(std::span<const Operator> parts, std::span<const Operator> wholes, const CardRates& card) {
  Cost cost;
  for (std::size_t i = 0; i < parts.size(); ++i) cost += part_cost(parts[i], wholes[i], card);
  return cost;
}

}  // namespace spanker
