#include "spanker/run/card_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "spanker/run/weight_tensor.hpp"

namespace spanker {
namespace {

/// Whole tiles of rows of a piece that one thread packs at a time, and whose pages are given back after that.
constexpr std::size_t kChunkBytes = std::size_t{1} << 21;
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kAlignment = 64;

/// A part of a stored matrix, and the packed one that it becomes.
struct Piece {
  PackedMatrix* target;
  WeightType type;
  std::size_t rows;
  std::size_t columns;
  const std::byte* first;  ///< the first wanted byte
  std::size_t stride;      ///< bytes from a row to the next

  std::size_t packed_bytes() const {
    const auto bytes = static_cast<std::size_t>(PackedMatrix::size_of(type, rows, columns).value);
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  std::size_t row_bytes() const {
    const WeightBlock block = weight_block(type);
    return columns / block.elements * block.bytes;
  }
};

struct Chunk {
  const Piece* piece;
  std::size_t first_row;
  std::size_t rows;
};

/// Collects what a shard needs, then makes room for all of it and reads it. A failure is kept for the end.
class ShardReader {
 public:
  ShardReader(const ModelFile& file, ThreadTeam& team) : file_(file), team_(team) {}

  void matrix(PackedMatrix& target, const std::string& name, Interval rows, Interval columns) {
    if (failure_ || rows.count == 0 || columns.count == 0) return;
    const PlacedTensor& placed = *file_.files.find_tensor(name);
    const auto type =
        weight_type_of(placed.tensor->type, fmt::format("{}: tensor {}", placed.file->name(), name));
    if (!type) {
      failure_ = type.error();
      return;
    }
    const WeightBlock block = weight_block(*type);
    const auto stride =
        static_cast<std::size_t>(placed.tensor->dimensions.front()) / block.elements * block.bytes;
    const std::byte* first =
        placed.data().data() + rows.first * stride + columns.first / block.elements * block.bytes;
    pieces_.push_back({&target, *type, static_cast<std::size_t>(rows.count),
                       static_cast<std::size_t>(columns.count), first, stride});
  }

  /// Elements of a vector; where `is_there` is not, the model has no such vector.
  void vector(std::vector<float>& target, const std::string& name, bool is_there, Interval elements) {
    if (failure_ || !is_there || elements.count == 0) return;
    auto read = elements_of(file_.files, name, elements);
    if (!read) {
      failure_ = read.error();
      return;
    }
    target = std::move(*read);
  }

  Result<Memory> read() {
    if (failure_) return tl::unexpected(*failure_);
    std::size_t total = 0;
    for (const Piece& piece : pieces_) total += piece.packed_bytes();
    auto memory = Memory::allocate(Bytes(std::max<std::size_t>(total, 1)));
    if (!memory) return memory;
    std::span<std::byte> free = memory->bytes();
    for (const Piece& piece : pieces_) {
      auto made = PackedMatrix::make(piece.type, piece.rows, piece.columns, free.first(piece.packed_bytes()));
      if (!made) return tl::unexpected(made.error());
      *piece.target = *made;
      free = free.subspan(piece.packed_bytes());
    }
    pack();
    return memory;
  }

 private:
  void pack() {
    std::vector<Chunk> chunks;
    for (const Piece& piece : pieces_) {
      const std::size_t rows = std::max<std::size_t>(1, kChunkBytes / piece.stride / kTileRows) * kTileRows;
      for (std::size_t row = 0; row < piece.rows; row += rows) {
        chunks.push_back({&piece, row, std::min(rows, piece.rows - row)});
      }
    }
    std::atomic<std::size_t> next{0};
    team_.run([&](std::size_t) {
      for (std::size_t i = next++; i < chunks.size(); i = next++) pack(chunks[i]);
    });
  }

  void pack(const Chunk& chunk) const {
    const Piece& piece = *chunk.piece;
    const std::byte* first = piece.first + chunk.first_row * piece.stride;
    piece.target->pack(chunk.first_row, {first, piece.stride, chunk.rows});
    file_.files.release({first, (chunk.rows - 1) * piece.stride + piece.row_bytes()});
  }

  const ModelFile& file_;
  ThreadTeam& team_;
  std::vector<Piece> pieces_;
  std::optional<Error> failure_;
};

void add_layer(ShardReader& reader, const Model& model, const Shard& shard, std::uint32_t index,
               LayerWeights& layer) {
  const ModelShape& shape = model.shape;
  const LayerTensors& tensors = model.layers[index];
  const auto name = [&](std::string_view rest) { return fmt::format("blk.{}.{}", index, rest); };
  const Interval hidden{0, shape.hidden_size};
  const auto elements = [&](Interval heads) {
    return Interval{heads.first * shape.head_dim, heads.count * shape.head_dim};
  };
  const Interval queries = elements(shard.query_heads);
  const Interval keys = elements(shard.key_value_heads);
  const bool has_heads = shard.query_heads.count > 0;
  reader.vector(layer.attention_norm, name("attn_norm.weight"), has_heads, hidden);
  reader.matrix(layer.query, name("attn_q.weight"), queries, hidden);
  reader.matrix(layer.key, name("attn_k.weight"), keys, hidden);
  reader.matrix(layer.value, name("attn_v.weight"), keys, hidden);
  reader.vector(layer.query_bias, name("attn_q.bias"), tensors.query_bias.has_value(), queries);
  reader.vector(layer.key_bias, name("attn_k.bias"), tensors.key_bias.has_value(), keys);
  reader.vector(layer.value_bias, name("attn_v.bias"), tensors.value_bias.has_value(), keys);
  const Interval head{0, shape.head_dim};
  reader.vector(layer.query_norm, name("attn_q_norm.weight"), has_heads && tensors.query_norm, head);
  reader.vector(layer.key_norm, name("attn_k_norm.weight"), has_heads && tensors.key_norm, head);
  reader.matrix(layer.attention_output, name("attn_output.weight"), hidden, queries);
  reader.vector(layer.attention_output_bias, name("attn_output.bias"),
                shard.adds_output_bias && tensors.attention_output_bias, hidden);

  const Interval columns = shard.ffn_columns;
  reader.vector(layer.ffn_norm, name("ffn_norm.weight"), columns.count > 0, hidden);
  reader.matrix(layer.gate, name("ffn_gate.weight"), columns, hidden);
  reader.matrix(layer.up, name("ffn_up.weight"), columns, hidden);
  reader.matrix(layer.down, name("ffn_down.weight"), hidden, columns);
}

}  // namespace

Result<CardWeights> CardWeights::load(const ModelFile& file, const Shard& shard, ThreadTeam& team) {
  const Model& model = file.model;
  const Interval hidden{0, model.shape.hidden_size};
  CardWeights weights;
  weights.layers.resize(shard.layer_count);
  ShardReader reader(file, team);
  for (std::uint32_t i = 0; i < shard.layer_count; ++i) {
    add_layer(reader, model, shard, shard.first_layer + i, weights.layers[i]);
  }
  reader.vector(weights.output_norm, "output_norm.weight", shard.output_rows.count > 0, hidden);
  const bool is_tied = !model.output;
  const bool stored_once = is_tied && shard.embedding_rows == shard.output_rows;
  if (!stored_once) reader.matrix(weights.embedding, "token_embd.weight", shard.embedding_rows, hidden);
  reader.matrix(weights.output, is_tied ? "token_embd.weight" : "output.weight", shard.output_rows, hidden);
  auto memory = reader.read();
  if (!memory) return tl::unexpected(memory.error());
  weights.memory = std::move(*memory);
  if (stored_once) weights.embedding = weights.output;
  return weights;
}

}  // namespace spanker
