#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/graph/operators.hpp"
#include "spanker/kernels/kv_cache.hpp"
#include "spanker/kernels/memory.hpp"
#include "spanker/kernels/quantise.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/run/card_weights.hpp"
#include "spanker/run/model_file.hpp"
#include "spanker/run/shard.hpp"
#include "spanker/run/thread_team.hpp"

namespace spanker {

/// Some of a pass's rows, one for each of its tokens.
struct RowTile {
  std::size_t first;
  std::size_t count;  ///< at most kActivationTileRows
};

/// One card of a plan: its shard, its KV cache of one stream, and what its kernels work in. A pass goes
/// begin_pass, then kernels in the order of the step graph; between them, exchanges change residual() and
/// partial().
class Card {
 public:
  /// Reads the shard with `threads` threads, which then are the card's. `prompt` and `context` of the
  /// problem's workload are the most rows of a pass and positions. Fails as CardWeights::load and
  /// ThreadTeam::make do, and with kInfeasible where there is no memory for the cache.
  static Result<std::unique_ptr<Card>> load(const ModelFile& file, const Problem& problem, const Shard& shard,
                                            std::size_t threads, std::uint32_t spins);

  const Shard& shard() const { return shard_; }
  std::size_t threads() const { return team_->size(); }

  /// The next kernels are about tokens at positions first_position, first_position + 1, ...
  void begin_pass(std::span<const std::uint32_t> tokens, std::size_t first_position);
  std::span<const std::uint32_t> tokens() const { return tokens_; }

  /// Runs the card's part of an operator on some rows. `layer` is the model's number of it. Takes its input
  /// from residual(); the outputs of attention and network go to partial(). The embedding writes those rows
  /// of residual() whose table rows the card has; output norm and logits are about the last row of the pass,
  /// whatever the tile.
  void run(OperatorKind op, std::uint32_t layer, RowTile tile);

  /// What the card's part of an operator reads of its memory and computes in this pass, counted on what the
  /// card holds: weights as the file stores them, once, and the cache up to the pass's last position.
  Operator work_of(OperatorKind op, std::uint32_t layer) const;

  /// Activations of all rows of the pass: [tokens][hidden_size].
  std::span<float> residual() { return {residual_.data(), tokens_.size() * hidden_}; }
  std::span<float> residual_row(std::size_t row) { return {residual_.data() + row * hidden_, hidden_}; }
  /// What collectives add up: as residual().
  std::span<float> partial() { return {partial_.data(), tokens_.size() * hidden_}; }
  void add_partial_to_residual();

  /// vocab_size logits, of which the kernel makes those of the shard's output rows. Empty where the card
  /// takes no part in gathering them.
  std::span<float> logits() { return logits_; }

 private:
  Card(const ModelFile& file, const Problem& problem, const Shard& shard);
  Result<void> make_cache(const Problem& problem);
  void make_buffers(const Problem& problem);

  /// Calls work(row) for each row, dealt to the threads where there are several.
  template <class Work>
  void for_rows(RowTile tile, const Work& work);
  void norm(std::span<const float> weight, RowTile tile, bool quantises);
  void qkv(const LayerWeights& layer, RowTile tile);
  void turn_and_keep(const LayerWeights& layer, const KvCache& cache, RowTile tile);
  void attention(const LayerWeights& layer, const KvCache& cache, RowTile tile);
  void attention_output(const LayerWeights& layer, RowTile tile);
  void gate_up(const LayerWeights& layer, RowTile tile);
  void down(const LayerWeights& layer, RowTile tile);
  void output_norm();
  void make_logits();
  Operator attention_work() const;

  const ModelShape shape_;
  const Rope rope_;
  const Shard shard_;
  const std::size_t hidden_;
  const std::size_t query_width_;
  const std::size_t key_width_;
  const std::size_t ffn_width_;
  std::unique_ptr<ThreadTeam> team_;
  CardWeights weights_;
  Memory cache_memory_;
  std::vector<KvCache> caches_;  ///< of each layer; none without heads

  std::vector<std::uint32_t> tokens_;
  std::size_t first_position_ = 0;
  std::vector<float> angles_;  ///< of the pass's rows

  std::vector<float> residual_;
  std::vector<float> partial_;  ///< holds what was normed until the output takes its place
  std::vector<QuantisedBlock> normed_blocks_;
  std::vector<float> queries_, keys_, values_, mixed_;  ///< of a tile's rows
  std::vector<float> gate_, up_;
  std::vector<QuantisedBlock> inner_blocks_;       ///< of mixed_ and gate_
  std::vector<std::unique_ptr<float[]>> scratch_;  ///< of attention, for each thread
  std::vector<float> last_normed_;
  std::vector<float> logits_;
};

}  // namespace spanker
