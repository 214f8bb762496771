#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "spanker/model/model.hpp"

namespace spanker {

/// Tensor data in files of ours starts at multiples of this.
inline constexpr std::uint64_t kGgufAlignment = 32;

/// `bytes`, rounded up to kGgufAlignment: what a tensor takes in a file.
std::uint64_t gguf_padded(std::uint64_t bytes);

/// Makes the header of a GGUF file, version 3. Tensor data is the caller's to write: after header(), for each
/// tensor in the order of put_tensor, its bytes and zeros up to gguf_padded(bytes). Keys and names are the
/// caller's to keep apart.
class GgufWriter {
 public:
  void put_uint32(std::string_view key, std::uint32_t value);
  void put_float32(std::string_view key, float value);
  void put_bool(std::string_view key, bool value);
  void put_string(std::string_view key, std::string_view value);
  void put_strings(std::string_view key, std::span<const std::string> values);
  void put_float32s(std::string_view key, std::span<const float> values);
  void put_int32s(std::string_view key, std::span<const std::int32_t> values);
  /// With one dimension where it has one row, three where it is a stack of matrices, two otherwise.
  void put_tensor(std::string_view name, const Tensor& tensor);

  /// Everything before the first tensor's data, padding included.
  std::string header() const;
  /// Bytes of the whole file.
  std::uint64_t file_bytes() const;

 private:
  std::string metadata_;
  std::string tensor_infos_;
  std::uint64_t metadata_count_ = 0;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t data_bytes_ = 0;
};

/// The keys that say a model's shape and name. A mistral is written as a llama, as is the custom; no
/// tokenizer is written.
void put_keys(GgufWriter& writer, const Model& model);
/// Those keys, and the model's tensors in the order of named_tensors.
void put_model(GgufWriter& writer, const Model& model);

}  // namespace spanker
