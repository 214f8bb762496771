#pragma once

#include <cstddef>

#include "spanker/kernels/isa.hpp"
#include "spanker/kernels/kv_cache.hpp"

namespace spanker {

/// Queries of some tokens in a row, and which of a model's heads they are: a card may own any run of query
/// heads, with the key/value heads that those need.
struct AttentionQueries {
  const float* values;  ///< [tokens][stride]; head h of a token at h * head_size
  std::size_t stride;   ///< elements from a token to the next, at least heads * head_size
  std::size_t tokens;   ///< token t is at position first_position + t
  std::size_t first_position;
  std::size_t heads;           ///< query heads of the card
  std::size_t first_head;      ///< the model's number of the card's first query head
  std::size_t first_kv_head;   ///< the model's number of the cache's first head
  std::size_t queries_per_kv;  ///< of the model: query head h looks at key/value head h / queries_per_kv
  float scale;                 ///< 1 / sqrt(head size), as a rule
  std::size_t window;          ///< positions that a token sees at most, itself among them; 0: all
};

/// The card's query heads begin to end - 1, counted from its first.
struct HeadRange {
  std::size_t begin;
  std::size_t end;
};

/// Floats that `attention` needs to note scores in, where positions below `positions` are looked at.
std::size_t attention_scratch_size(std::size_t positions);

/// Causal attention over the cache, which must hold the tokens' own keys and values: at position p
/// out[t][h] = sum over j of softmax(scale * query . key[j]) * value[j], j from max(0, p + 1 - window) to p.
/// `out` is [tokens][stride] as the queries are; only the heads of the range are written. Threads may share
/// the work by heads, or by tokens, each with scratch of its own.
///
/// One bit pattern for a token and a head, whatever the other tokens and heads, the ranges and the
/// instructions. Scores are sums in ascending order of elements; of values, the sum over every other position
/// from the first on plus the sum over the others, in floats. Keys and values that are stored as halves or in
/// q8_0 are taken exactly.
void attention(const KvCache& cache, const AttentionQueries& queries, HeadRange heads, float* scratch,
               float* out, Isa isa = best_isa());

}  // namespace spanker
