#include "spanker/model/synth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "spanker/base/file.hpp"
#include "spanker/base/random.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/synth_tokenizer.hpp"
#include "spanker/model/synth_weights.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

constexpr std::uint64_t kPieceBytes = 1 << 20;

struct Source {
  Tensor tensor;
  ValueSource values;
};

/// Where the values of each tensor come from, in the file's order.
Result<std::vector<Source>> value_sources(const Model& model, std::uint64_t seed) {
  SplitMix64 seeds(seed);
  std::vector<Source> sources;
  for (const NamedTensor& named : named_tensors(model)) {
    auto values = random_values(named, seeds.next());
    if (!values) return tl::unexpected(values.error());
    sources.push_back({named.tensor, std::move(*values)});
  }
  return sources;
}

/// llama.cpp's number for files whose matrices are mostly of that type (llama.h, enum llama_ftype): that of
/// the type itself, but for q8_0.
std::uint32_t file_type(TensorType type) {
  return type == TensorType::kQ8_0 ? 7 : static_cast<std::uint32_t>(type);
}

Result<GgufWriter> make_header(const Model& model, std::uint64_t seed) {
  GgufWriter writer;
  put_model(writer, model);
  writer.put_string("general.description",
                    fmt::format("Random weights of seed {}, not a trained model", seed));
  writer.put_uint32("general.file_type", file_type(model.token_embedding.type));
  writer.put_uint32("general.quantization_version", 2);
  writer.put_uint32("general.alignment", kGgufAlignment);
  if (auto done = put_synthetic_tokenizer(writer, model); !done) return tl::unexpected(done.error());
  return writer;
}

using Write = std::function<Result<void>(std::span<const std::byte>)>;

/// All values of a tensor and the zeros behind them.
Result<void> write_values(Source& source, std::vector<std::byte>& piece, const Write& write) {
  const std::uint64_t bytes = source.tensor.bytes().value;
  const std::uint64_t block = block_shape(source.tensor.type).bytes;
  piece.resize(kPieceBytes + kGgufAlignment);
  for (std::uint64_t left = bytes; left > 0;) {
    std::uint64_t size = std::min(left, kPieceBytes / block * block);
    source.values(std::span(piece).first(size));
    left -= size;
    if (left == 0) {
      const std::uint64_t padding = gguf_padded(bytes) - bytes;
      std::ranges::fill(std::span(piece).subspan(size, padding), std::byte{0});
      size += padding;
    }
    if (auto written = write(std::span(piece).first(size)); !written) return written;
  }
  return {};
}

}  // namespace

Result<Bytes> write_synthetic_gguf(const Model& model, std::uint64_t seed, const std::string& path,
                                   const ProgressCallback& progress) {
  auto sources = value_sources(model, seed);
  if (!sources) return tl::unexpected(sources.error());
  const auto writer = make_header(model, seed);
  if (!writer) return tl::unexpected(writer.error());
  const std::string header = writer->header();
  const Bytes total(writer->file_bytes());

  auto file = AtomicFileWriter::create(path);
  if (!file) return tl::unexpected(file.error());
  Bytes done;
  const Write write = [&](std::span<const std::byte> bytes) -> Result<void> {
    if (auto written = file->write(bytes); !written) return written;
    done += Bytes(bytes.size());
    if (!progress(done, total)) return io_failure(path, "interrupted before all was written");
    return {};
  };
  const auto write_all = [&]() -> Result<void> {
    if (auto reserved = file->reserve(total); !reserved) return reserved;
    if (auto written = write(std::as_bytes(std::span(header))); !written) return written;
    std::vector<std::byte> piece;
    for (Source& source : *sources) {
      if (auto written = write_values(source, piece, write); !written) return written;
    }
    return file->commit();
  };
  if (auto written = write_all(); !written) return tl::unexpected(written.error());
  return total;
}

}  // namespace spanker
