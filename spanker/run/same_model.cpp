#include "spanker/run/same_model.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

std::string described(const Tensor& tensor) {
  return fmt::format("{} of {} x {}", to_string(tensor.type), tensor.columns, tensor.rows);
}

Failure differs(std::string_view where, std::string_view what, std::string model, std::string planned) {
  return bad_input(std::string(where), fmt::format("the plan is for another model: {}", what),
                   std::move(model), std::move(planned));
}

}  // namespace

Result<void> check_same_model(const Model& planned, const Model& model, std::string_view where) {
  const std::vector<NamedTensor> wanted = named_tensors(model);
  const std::vector<NamedTensor> got = named_tensors(planned);
  const auto architecture = [](const Model& of) { return std::string(to_string(of.shape.architecture)); };
  if (planned.shape.architecture != model.shape.architecture) {
    return differs(where, "architecture", architecture(model), architecture(planned));
  }
  for (std::size_t i = 0; i < wanted.size() && i < got.size(); ++i) {
    if (wanted[i].name != got[i].name) return differs(where, "tensors", wanted[i].name, got[i].name);
    if (wanted[i].tensor == got[i].tensor) continue;
    return differs(where, wanted[i].name, described(wanted[i].tensor), described(got[i].tensor));
  }
  if (wanted.size() != got.size()) {
    return differs(where, "tensors", std::to_string(wanted.size()), std::to_string(got.size()));
  }
  // What tensors do not show: how heads divide a matrix, and numbers of the arithmetic.
  const auto heads = [](const ModelShape& shape) {
    return fmt::format("{} heads over {}", shape.num_attention_heads, shape.num_key_value_heads);
  };
  if (heads(planned.shape) != heads(model.shape)) {
    return differs(where, "attention", heads(model.shape), heads(planned.shape));
  }
  if (planned.shape != model.shape) return differs(where, "hyperparameters", "", "");
  return {};
}

}  // namespace spanker
