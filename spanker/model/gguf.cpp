#include "spanker/model/gguf.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

#include "spanker/base/byte_reader.hpp"
#include "spanker/base/text.hpp"

namespace spanker {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;         // "GGUF", read as a little-endian number
constexpr std::uint32_t kSwappedMagic = 0x47475546;  // "FUGG"
constexpr std::uint32_t kDefaultAlignment = 32;
constexpr std::uint64_t kLongestKey = 65535;
constexpr std::uint64_t kLongestTensorName = 64;
constexpr std::uint32_t kMostDimensions = 4;
constexpr int kDeepestArray = 4;
constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int64_t>::max();

// The fewest bytes that an entry can take: lengths, types and offsets, and a name of one byte.
constexpr std::uint64_t kSmallestMetadata = 8 + 1 + 4 + 1;
constexpr std::uint64_t kSmallestTensorInfo = 8 + 1 + 4 + 8 + 4 + 8;

/// Bytes of a number or bool; nothing for what has no fixed size.
std::optional<std::uint64_t> fixed_size(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kInt8:
    case GgufType::kBool:
      return 1;
    case GgufType::kUint16:
    case GgufType::kInt16:
      return 2;
    case GgufType::kUint32:
    case GgufType::kInt32:
    case GgufType::kFloat32:
      return 4;
    case GgufType::kUint64:
    case GgufType::kInt64:
    case GgufType::kFloat64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

class GgufParser {
 public:
  GgufParser(std::span<const std::byte> bytes, std::string name)
      : name_(std::move(name)), bytes_(bytes), reader_(bytes, name_) {
    file_.name_ = name_;
    file_.bytes_ = bytes;
  }

  Result<GgufFile> parse() {
    if (auto done = read_header(); !done) return tl::unexpected(done.error());
    for (std::uint64_t i = 0; i < metadata_count_; ++i) {
      if (auto done = read_metadata(); !done) return tl::unexpected(done.error());
    }
    if (auto done = read_alignment(); !done) return tl::unexpected(done.error());
    for (std::uint64_t i = 0; i < tensor_count_; ++i) {
      if (auto done = read_tensor_info(); !done) return tl::unexpected(done.error());
    }
    if (auto done = place_tensors(); !done) return tl::unexpected(done.error());
    return std::move(file_);
  }

 private:
  Result<void> read_header() {
    const auto magic = reader_.read<std::uint32_t>("the magic number");
    if (!magic) return tl::unexpected(magic.error());
    if (*magic == kSwappedMagic) return big_endian();
    if (*magic != kMagic)
      return bad_input(name_, "not a GGUF file", "\"GGUF\" in its first four bytes", quoted_start());
    const auto version = reader_.read<std::uint32_t>("the version");
    if (!version) return tl::unexpected(version.error());
    if (*version != 0 && (*version & 0xFFFF) == 0) return big_endian();
    if (*version != 2 && *version != 3) {
      return bad_input(name_, "GGUF version not supported", "2 or 3", std::to_string(*version));
    }
    file_.version_ = *version;
    const auto tensor_count = read_count("the tensor count", kSmallestTensorInfo);
    if (!tensor_count) return tl::unexpected(tensor_count.error());
    const auto metadata_count = read_count("the metadata count", kSmallestMetadata);
    if (!metadata_count) return tl::unexpected(metadata_count.error());
    tensor_count_ = *tensor_count;
    metadata_count_ = *metadata_count;
    return {};
  }

  Failure big_endian() const {
    return bad_input(name_, "big-endian GGUF files are not read", "a little-endian file",
                     "byte-swapped numbers");
  }

  std::string quoted_start() const {
    return fmt::format("\"{}\"", std::string_view(reinterpret_cast<const char*>(bytes_.data()), 4));
  }

  /// A count of entries that each take `smallest` bytes at least, checked against what is left.
  Result<std::uint64_t> read_count(std::string_view what, std::uint64_t smallest) {
    const std::string where = reader_.here();
    const auto count = reader_.read<std::uint64_t>(what);
    if (!count) return tl::unexpected(count.error());
    const std::uint64_t most = reader_.remaining() / smallest;
    if (*count > most) {
      return bad_input(where, fmt::format("{} is larger than the file has room for", what),
                       fmt::format("at most {}", most), std::to_string(*count));
    }
    return *count;
  }

  Result<std::string_view> read_string(std::string_view what) {
    const auto length = reader_.read<std::uint64_t>("the length of a string");
    if (!length) return tl::unexpected(length.error());
    const auto bytes = reader_.read_bytes(*length, what);
    if (!bytes) return tl::unexpected(bytes.error());
    return std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }

  /// A key or a tensor's name: 1 to `longest` bytes of UTF-8.
  Result<std::string_view> read_name(std::string_view what, std::uint64_t longest) {
    const std::string where = reader_.here();
    const auto name = read_string(what);
    if (!name) return tl::unexpected(name.error());
    if (name->empty() || name->size() > longest) {
      return bad_input(where, fmt::format("{} of a wrong length", what),
                       fmt::format("1 to {} bytes", longest), fmt::format("{} bytes", name->size()));
    }
    if (!is_valid_utf8(*name))
      return bad_input(where, fmt::format("{} is not text", what), "valid UTF-8", "other bytes");
    return *name;
  }

  Result<GgufType> read_type() {
    const std::string where = reader_.here();
    const auto number = reader_.read<std::uint32_t>("the type of a metadata value");
    if (!number) return tl::unexpected(number.error());
    if (*number > static_cast<std::uint32_t>(GgufType::kFloat64)) {
      return bad_input(where, "unknown type of a metadata value", "0 to 12", std::to_string(*number));
    }
    return static_cast<GgufType>(*number);
  }

  Result<void> check_bools(std::span<const std::byte> values, std::size_t offset) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (const auto value = std::to_integer<int>(values[i]); value > 1) {
        return bad_input(fmt::format("{}: byte {}", name_, offset + i), "not a bool", "0 or 1",
                         std::to_string(value));
      }
    }
    return {};
  }

  Result<GgufValue> read_value(GgufType type, int depth) {
    if (type == GgufType::kArray) return read_array(depth);
    const std::size_t start = reader_.offset();
    if (type == GgufType::kString) {
      const auto text = read_string("a string");
      if (!text) return tl::unexpected(text.error());
      return GgufValue{type, std::as_bytes(std::span(*text))};
    }
    const auto bytes = reader_.read_bytes(*fixed_size(type), "a metadata value");
    if (!bytes) return tl::unexpected(bytes.error());
    if (type == GgufType::kBool) {
      if (auto sound = check_bools(*bytes, start); !sound) return tl::unexpected(sound.error());
    }
    return GgufValue{type, *bytes};
  }

  Result<GgufValue> read_array(int depth) {
    const std::string where = reader_.here();
    if (depth == kDeepestArray) {
      return bad_input(where, "arrays nested too deeply", fmt::format("at most {} levels", kDeepestArray));
    }
    const auto type = read_type();
    if (!type) return tl::unexpected(type.error());
    // An element takes its own size, or a string's length, or an array's type and length.
    const auto size = fixed_size(*type);
    const auto count =
        read_count("the length of an array", size.value_or(*type == GgufType::kString ? 8 : 12));
    if (!count) return tl::unexpected(count.error());
    const std::size_t start = reader_.offset();
    if (size) {
      const auto elements = reader_.read_bytes(*count * *size, "an array");
      if (!elements) return tl::unexpected(elements.error());
      if (*type == GgufType::kBool) {
        if (auto sound = check_bools(*elements, start); !sound) return tl::unexpected(sound.error());
      }
    } else {
      for (std::uint64_t i = 0; i < *count; ++i) {
        if (auto element = read_value(*type, depth + 1); !element) return tl::unexpected(element.error());
      }
    }
    return GgufValue{GgufType::kArray, bytes_.subspan(start, reader_.offset() - start), *type, *count};
  }

  Result<void> read_metadata() {
    const auto key = read_name("a metadata key", kLongestKey);
    if (!key) return tl::unexpected(key.error());
    const auto type = read_type();
    if (!type) return tl::unexpected(type.error());
    const auto value = read_value(*type, 0);
    if (!value) return tl::unexpected(value.error());
    if (!file_.values_.emplace(*key, *value).second) {
      return bad_input(fmt::format("{}: {}", name_, *key), "key stands twice in the file");
    }
    return {};
  }

  Result<void> read_alignment() {
    constexpr std::string_view kKey = "general.alignment";
    file_.alignment_ = kDefaultAlignment;
    if (file_.find(kKey) == nullptr) return {};
    const auto alignment = file_.uint32(kKey);
    if (!alignment) return tl::unexpected(alignment.error());
    if (*alignment < 8 || !std::has_single_bit(*alignment)) {
      return bad_input(fmt::format("{}: {}", name_, kKey), "wrong alignment", "a power of two, at least 8",
                       std::to_string(*alignment));
    }
    file_.alignment_ = *alignment;
    return {};
  }

  std::string at(const GgufTensor& tensor) const { return fmt::format("{}: tensor {}", name_, tensor.name); }

  Result<void> read_tensor_info() {
    const auto name = read_name("a tensor's name", kLongestTensorName);
    if (!name) return tl::unexpected(name.error());
    GgufTensor tensor;
    tensor.name = *name;
    if (!file_.tensor_index_.emplace(*name, file_.tensors_.size()).second) {
      return bad_input(at(tensor), "tensor stands twice in the file");
    }
    const auto dimensions = reader_.read<std::uint32_t>("a tensor's number of dimensions");
    if (!dimensions) return tl::unexpected(dimensions.error());
    if (*dimensions < 1 || *dimensions > kMostDimensions) {
      return bad_input(at(tensor), "wrong number of dimensions", fmt::format("1 to {}", kMostDimensions),
                       std::to_string(*dimensions));
    }
    for (std::uint32_t i = 0; i < *dimensions; ++i) {
      const auto dimension = reader_.read<std::uint64_t>("a tensor's dimension");
      if (!dimension) return tl::unexpected(dimension.error());
      tensor.dimensions.push_back(*dimension);
    }
    const auto type = reader_.read<std::uint32_t>("a tensor's type");
    if (!type) return tl::unexpected(type.error());
    const auto known = tensor_type_from_ggml(*type);
    if (!known) {
      return bad_input(at(tensor), "unknown tensor type", "a number that ggml uses", std::to_string(*type));
    }
    tensor.type = *known;
    const auto offset = reader_.read<std::uint64_t>("a tensor's offset");
    if (!offset) return tl::unexpected(offset.error());
    tensor.offset = *offset;
    if (auto sized = set_bytes(tensor); !sized) return tl::unexpected(sized.error());
    file_.tensors_.push_back(std::move(tensor));
    return {};
  }

  Result<void> set_bytes(GgufTensor& tensor) const {
    const BlockShape block = block_shape(tensor.type);
    std::uint64_t elements = 1;
    for (const std::uint64_t dimension : tensor.dimensions) {
      if (dimension == 0) return bad_input(at(tensor), "wrong dimension", "at least 1", "0");
      if (__builtin_mul_overflow(elements, dimension, &elements)) return too_large(tensor);
    }
    if (tensor.dimensions[0] % block.elements != 0) {
      return bad_input(at(tensor), fmt::format("rows cannot be stored as {}", to_string(tensor.type)),
                       fmt::format("a first dimension that is a multiple of {}", block.elements),
                       std::to_string(tensor.dimensions[0]));
    }
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(elements / block.elements, block.bytes, &bytes) || bytes > kMostBytes) {
      return too_large(tensor);
    }
    tensor.bytes = Bytes(bytes);
    return {};
  }

  Failure too_large(const GgufTensor& tensor) const {
    return bad_input(at(tensor), "dimensions too large", "fewer than 2^63 bytes",
                     fmt::format("{}", fmt::join(tensor.dimensions, " x ")));
  }

  /// Turns offsets into positions in the file, and checks them.
  Result<void> place_tensors() {
    const std::uint64_t alignment = file_.alignment_;
    const std::uint64_t data_start = (reader_.offset() + alignment - 1) / alignment * alignment;
    for (GgufTensor& tensor : file_.tensors_) {
      if (tensor.offset % alignment != 0) {
        return bad_input(at(tensor), "misaligned data",
                         fmt::format("an offset that is a multiple of {}", alignment),
                         std::to_string(tensor.offset));
      }
      std::uint64_t end = 0;
      if (__builtin_add_overflow(tensor.offset, data_start, &tensor.offset) ||
          __builtin_add_overflow(tensor.offset, tensor.bytes.value, &end)) {
        return bad_input(at(tensor), "data lies outside any file", "an offset below 2^63");
      }
      if (end > bytes_.size()) {
        return bad_input(at(tensor), "file is cut short",
                         fmt::format("{} bytes, where this tensor ends", end),
                         fmt::format("{} bytes", bytes_.size()));
      }
    }
    return check_overlaps();
  }

  Result<void> check_overlaps() const {
    std::vector<const GgufTensor*> by_offset;
    for (const GgufTensor& tensor : file_.tensors_) by_offset.push_back(&tensor);
    std::ranges::sort(by_offset, {}, &GgufTensor::offset);
    for (std::size_t i = 1; i < by_offset.size(); ++i) {
      const GgufTensor& before = *by_offset[i - 1];
      if (before.offset + before.bytes.value > by_offset[i]->offset) {
        return bad_input(at(*by_offset[i]), fmt::format("data overlaps with tensor {}", before.name),
                         fmt::format("a start at byte {} or later", before.offset + before.bytes.value),
                         fmt::format("byte {}", by_offset[i]->offset));
      }
    }
    return {};
  }

  std::string name_;
  std::span<const std::byte> bytes_;
  ByteReader reader_;
  GgufFile file_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t metadata_count_ = 0;
};

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes, std::string name) {
  return GgufParser(bytes, std::move(name)).parse();
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto found = tensor_index_.find(name);
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

std::span<const std::byte> GgufFile::header() const {
  std::uint64_t size = bytes_.size();
  for (const GgufTensor& tensor : tensors_) size = std::min(size, tensor.offset);
  return bytes_.first(size);
}

std::span<const std::byte> GgufFile::data(const GgufTensor& tensor) const {
  return bytes_.subspan(tensor.offset, tensor.bytes.value);
}

}  // namespace spanker
