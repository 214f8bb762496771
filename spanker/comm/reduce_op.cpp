#include "spanker/comm/reduce_op.hpp"

#include <cstddef>

namespace spanker {
namespace {

/// Element by element; `restrict`, so that the loop is vectorised.
template <class Op>
void apply(Op op, std::span<float> own, std::span<const float> others, bool others_first) {
  float* __restrict to = own.data();
  const float* __restrict from = others.data();
  if (others_first) {
    for (std::size_t i = 0; i < own.size(); ++i) to[i] = op(from[i], to[i]);
  } else {
    for (std::size_t i = 0; i < own.size(); ++i) to[i] = op(to[i], from[i]);
  }
}

}  // namespace

std::string_view to_string(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return "sum";
    case ReduceOp::kMax:
      return "max";
    case ReduceOp::kMin:
      return "min";
    case ReduceOp::kAvg:
      return "avg";
  }
  return {};
}

void combine(ReduceOp op, std::span<float> own, std::span<const float> others, bool others_first) {
  switch (op) {
    case ReduceOp::kSum:
    case ReduceOp::kAvg:
      return apply([](float a, float b) { return a + b; }, own, others, others_first);
    case ReduceOp::kMax:
      return apply([](float a, float b) { return a > b || a != a ? a : b; }, own, others, others_first);
    case ReduceOp::kMin:
      return apply([](float a, float b) { return a < b || a != a ? a : b; }, own, others, others_first);
  }
}

}  // namespace spanker
