#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// What a tensor is for.
enum class TensorPurpose { kTokenEmbedding, kAttention, kFfn, kNorm, kOutput };

/// "token embedding", "attention", "ffn", "norms", "output".
std::string_view to_string(TensorPurpose purpose);

/// A tensor that a model has. Biases and rope_freqs.weight count as attention, routers as ffn, all RMSNorm
/// weights as norms.
struct NamedTensor {
  std::string name;  ///< in a GGUF file: "blk.0.attn_q.weight"
  TensorPurpose purpose;
  Tensor tensor;

  bool operator==(const NamedTensor&) const = default;
};

/// Every tensor of a model: token embedding, layers in order, output norm, output, rope_freqs.
std::vector<NamedTensor> named_tensors(const Model& model);

/// The tensors of one purpose that are stored alike.
struct TypeTotal {
  TensorType type;
  std::uint64_t tensors;
  std::uint64_t elements;
  Bytes bytes;

  bool operator==(const TypeTotal&) const = default;
};

struct TensorGroup {
  std::string_view name;         ///< to_string of the purpose
  std::vector<TypeTotal> types;  ///< by ggml's number
};

/// How a model is quantised, by purpose (in the enum's order; what a model has no tensor of is left out).
std::vector<TensorGroup> tensor_groups(const Model& model);

enum class Presence { kRequired, kOptional, kForbidden };

enum class TensorForm {
  kVector,  ///< one row, never quantised
  kMatrix,  ///< stored as a file or a user likes
  kRouter,  ///< a matrix that is small and decides much, which converters and presets leave in f32
};

/// The form and the dimensions that a tensor must have.
struct Extent {
  TensorForm form;
  std::uint64_t columns;
  std::uint64_t rows = 1;
  std::uint64_t matrices = 1;
};

/// A tensor of that extent, stored as `type`. Fails with kBadInput at `where` where it cannot be: a vector
/// that is neither f32 nor f16, weights as plain integers, columns that are not a multiple of the type's
/// block.
Result<Tensor> stored_as(const Extent& extent, TensorType type, std::string_view where);

/// A place for a tensor in a model of a given shape, to be filled.
struct TensorSlot {
  std::string name;  ///< in a GGUF file
  Extent extent;
  Presence presence;
  Tensor* tensor = nullptr;                          ///< in `model`; null where the place below is used
  std::optional<Tensor>* optional_tensor = nullptr;  ///< in `model`

  void store(const Tensor& value) const {
    if (tensor != nullptr) {
      *tensor = value;
    } else {
      *optional_tensor = value;
    }
  }
};

/// A model of that name and shape, which must be sound (check_shape), whose tensors are yet to be stored.
Model empty_model(std::string_view name, const ModelShape& shape);

/// Every place of `model`, which empty_model made.
/// The slots point into `model`.
std::vector<TensorSlot> tensor_slots(Model& model);

}  // namespace spanker
