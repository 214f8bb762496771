#include "spanker/kernels/attention.hpp"

#include <algorithm>

#include "spanker/kernels/kernel_table.hpp"
#include "spanker/kernels/kv_layout.hpp"

namespace spanker {
namespace {

AttentionKernels kernels_for(KvType type, const KernelTable& kernels) {
  switch (type) {
    case KvType::kF32:
      return kernels.attention_f32;
    case KvType::kF16:
      return kernels.attention_f16;
    case KvType::kQ8_0:
      return kernels.attention_q8_0;
  }
  return {};
}

}  // namespace

std::size_t attention_scratch_size(std::size_t positions) {
  return kMaxQueries * rounded_to_tiles(positions);
}

void attention(const KvCache& cache, const AttentionQueries& queries, HeadRange heads, float* scratch,
               float* out, Isa isa) {
  const KvShape& shape = cache.shape();
  const auto [score, mix] = kernels_for(shape.type, kernels_of(isa));
  for (std::size_t token = 0; token < queries.tokens; ++token) {
    const std::size_t end = queries.first_position + token + 1;
    const std::size_t begin = queries.window != 0 && end > queries.window ? end - queries.window : 0;
    std::size_t next = heads.begin;
    while (next < heads.end) {
      // Heads that look at the same keys and values share the reading of them.
      const std::size_t kv_head = (queries.first_head + next) / queries.queries_per_kv;
      const std::size_t first_of_next_kv = (kv_head + 1) * queries.queries_per_kv - queries.first_head;
      const std::size_t count = std::min({heads.end, first_of_next_kv, next + kMaxQueries}) - next;
      const float* rows[kMaxQueries];
      float* scores[kMaxQueries];
      float* mixtures[kMaxQueries];
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = token * queries.stride + (next + i) * shape.head_size;
        rows[i] = queries.values + at;
        mixtures[i] = out + at;
        scores[i] = scratch + i * rounded_to_tiles(end);
      }
      AttentionStep step{.cells = cache.keys(kv_head - queries.first_kv_head),
                         .head_size = shape.head_size,
                         .capacity = rounded_to_tiles(shape.positions),
                         .rows = rows,
                         .queries = count,
                         .begin = begin,
                         .end = end,
                         .scale = queries.scale};
      score(step, scores);
      for (std::size_t i = 0; i < count; ++i) kernels_of(isa).softmax(scores[i] + begin, end - begin);
      step.cells = cache.values(kv_head - queries.first_kv_head);
      step.rows = scores;
      mix(step, mixtures);
      next += count;
    }
  }
}

}  // namespace spanker
