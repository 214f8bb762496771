#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// The types of a metadata value; the numbers stand in files.
enum class GgufType : std::uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

/// "uint8", "string", "array", ...
std::string_view to_string(GgufType type);

/// A metadata value where it lies in the file: an array of 150 000 strings costs no more than a number.
struct GgufValue {
  GgufType type;
  std::span<const std::byte> bytes;  ///< a number, a string's characters, or an array's elements as stored
  GgufType element_type = GgufType::kUint8;  ///< of an array
  std::uint64_t count = 0;                   ///< of an array's elements
};

/// One tensor of a GGUF file.
struct GgufTensor {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<std::uint64_t> dimensions;  ///< ne[0] first; one to four, each at least 1
  std::uint64_t offset = 0;               ///< of its first byte, from the start of the file
  Bytes bytes;
};

/// The header of a GGUF file (versions 2 and 3, little-endian); tensor data is never touched. What it holds
/// points into the bytes that it was parsed from, which must outlive it. Format: docs/gguf.md of ggml.
class GgufFile {
 public:
  /// Checks everything that can be checked without reading tensor data: all counts and lengths against what
  /// is left of the file, keys and names, types, dimensions, alignment, and that tensors lie inside the file
  /// and apart from each other. Fails with kBadInput naming `name` and the byte offset, key or tensor. `name`
  /// is the file's.
  static Result<GgufFile> parse(std::span<const std::byte> bytes, std::string name);

  const std::string& name() const { return name_; }
  std::uint32_t version() const { return version_; }
  /// Of tensor data, in bytes: a power of two, at least 8.
  std::uint32_t alignment() const { return alignment_; }

  /// In the order of the file.
  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  /// Null where there is none of that name.
  const GgufTensor* find_tensor(std::string_view name) const;
  std::span<const std::byte> data(const GgufTensor& tensor) const;
  /// Everything before the first tensor's data.
  std::span<const std::byte> header() const;

  /// Null where there is no such key.
  const GgufValue* find(std::string_view key) const;

  // The value of a key, converted. Each fails with kBadInput naming the key, the type wanted and the type
  // found where there is no such key, it is of another type, or its value does not fit.

  /// Of any integer type.
  Result<std::uint32_t> uint32(std::string_view key) const;
  /// Of either float type; a float32 becomes the shortest decimal that reads back as it (1e-05,
  /// not 9.99999974e-06).
  Result<double> number(std::string_view key) const;
  Result<bool> boolean(std::string_view key) const;
  /// Characters in the file, of any bytes.
  Result<std::string_view> string(std::string_view key) const;
  /// Elements of an array of any type.
  Result<std::uint64_t> array_length(std::string_view key) const;
  /// An array of integers of any type; views and copies are made only when asked for.
  Result<std::vector<std::int64_t>> integers(std::string_view key) const;
  /// An array of float32.
  Result<std::vector<float>> floats(std::string_view key) const;
  /// An array of strings, each in the file.
  Result<std::vector<std::string_view>> strings(std::string_view key) const;

 private:
  Failure wrong_type(std::string_view key, std::string_view wanted) const;
  Result<GgufValue> array(std::string_view key) const;

  std::string name_;
  std::span<const std::byte> bytes_;
  std::uint32_t version_ = 0;
  std::uint32_t alignment_ = 0;
  std::map<std::string_view, GgufValue> values_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string_view, std::size_t> tensor_index_;  // keys lie in the file's bytes

  friend class GgufParser;
};

}  // namespace spanker
