// How fast one card computes, beside how fast it reads memory: matrices by vectors (decode) and by 256
// vectors (prefill) in the shapes of TinyLlama-1.1B, and attention. Prints the tables of BENCHMARKS.md.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "must.hpp"
#include "spanker/base/random.hpp"
#include "spanker/kernels/attention.hpp"
#include "spanker/kernels/matmul.hpp"
#include "spanker/kernels/memory.hpp"
#include "spanker/kernels/read_bandwidth.hpp"
#include "spanker/kernels/vectors.hpp"

namespace spanker {
namespace {

constexpr WeightType kTypes[] = {WeightType::kQ4_0, WeightType::kQ8_0, WeightType::kQ4_K, WeightType::kQ6_K,
                                 WeightType::kF16,  WeightType::kBF16, WeightType::kF32};

// TinyLlama-1.1B: 22 layers of q, k and v; attention output; gate and up; down.
constexpr std::size_t kShapes[][2] = {{2560, 2048}, {2048, 2048}, {11264, 2048}, {2048, 5632}};
constexpr double kLayers = 22;
/// Stored bytes that a decoded token reads, in Q4_0 (docs/models.md).
constexpr double kTokenBytes = 582231168;

/// Many times the last cache.
constexpr std::size_t kManyBytes = 160 << 20;

/// Seconds in which `threads` threads do work(thread), once all have started.
double seconds_of(unsigned threads, const std::function<void(unsigned)>& work) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> starts(threads);
  std::vector<Clock::time_point> ends(threads);
  std::vector<std::thread> pool;
  const auto timed = [&](unsigned thread) {
    starts[thread] = Clock::now();
    work(thread);
    ends[thread] = Clock::now();
  };
  for (unsigned thread = 1; thread < threads; ++thread) pool.emplace_back(timed, thread);
  timed(0);
  for (std::thread& thread : pool) thread.join();
  return std::chrono::duration<double>(std::ranges::max(ends) - std::ranges::min(starts)).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::vector<float> random_floats(std::size_t count) {
  SplitMix64 random(1);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.next() >> 40) * 0x1p-23f - 1;
  return values;
}

/// Matrices of random bytes, with one column of vectors to multiply with for each.
class Matrices {
 public:
  Matrices(WeightType type, std::size_t least_bytes, std::size_t vectors) : vectors_(vectors) {
    std::uint64_t layer = 0;
    for (const auto& [rows, columns] : kShapes) layer += PackedMatrix::size_of(type, rows, columns).value;
    const std::size_t layers = (least_bytes + layer - 1) / layer;
    memory_ = must(Memory::allocate(Bytes(layer * layers)));
    SplitMix64 random(2);
    // Bytes from 0x20 to 0x3F: halves and floats that are neither subnormal, which some processors compute
    // slowly, nor infinite.
    for (std::size_t i = 0; i + 8 <= memory_.bytes().size(); i += 8) {
      const std::uint64_t eight = (random.next() & 0x1F1F1F1F1F1F1F1F) | 0x2020202020202020;
      std::memcpy(memory_.bytes().data() + i, &eight, sizeof eight);
    }
    std::size_t used = 0;
    for (std::size_t i = 0; i < layers; ++i) {
      for (const auto& [rows, columns] : kShapes) {
        matrices_.push_back(must(PackedMatrix::make(type, rows, columns, memory_.bytes().subspan(used))));
        used += PackedMatrix::size_of(type, rows, columns).value;
      }
    }
    values_ = random_floats(vectors * 5632);
    blocks_.resize(values_.size() / 32);
    quantise(values_, blocks_);
    y_.resize(vectors * 11264);
  }

  double bytes() const { return static_cast<double>(memory_.bytes().size()); }
  double layers() const { return static_cast<double>(matrices_.size()) / std::size(kShapes); }

  double seconds(unsigned threads, Isa isa) {
    return seconds_of(threads, [&](unsigned thread) {
      for (const PackedMatrix& matrix : matrices_) {
        const RowRange rows = part_of_rows(matrix.rows(), thread, threads);
        matmul(matrix, {vectors_, values_.data(), blocks_.data()}, rows, y_.data(), matrix.rows(), isa);
      }
    });
  }

 private:
  std::size_t vectors_;
  Memory memory_ = must(Memory::allocate(Bytes(0)));
  std::vector<PackedMatrix> matrices_;
  std::vector<float> values_;
  std::vector<QuantisedBlock> blocks_;
  std::vector<float> y_;
};

void report_decode(WeightType type, unsigned threads, Isa isa) {
  Matrices matrices(type, kManyBytes, 1);
  matrices.seconds(threads, isa);
  std::vector<double> rates;
  std::vector<double> reads;
  std::vector<double> shares;
  // In turns, since the machine's bandwidth changes with what else it does.
  for (int i = 0; i < 7; ++i) {
    reads.push_back(must(read_bandwidth(threads, Bytes(kManyBytes), 1)).value / 1e9);
    rates.push_back(matrices.bytes() / matrices.seconds(threads, isa) / 1e9);
    shares.push_back(rates.back() / reads.back());
  }
  const std::string tokens =
      type == WeightType::kQ4_0 ? std::to_string(median(rates) * 1e9 / kTokenBytes).substr(0, 4) : "";
  std::printf("| %s | %s | %u | %.1f | %.1f | %.0f %% | %s |\n", to_string(type).data(),
              to_string(isa).data(), threads, median(rates), median(reads), 100 * median(shares),
              tokens.c_str());
}

void report_prefill(WeightType type, unsigned threads, Isa isa) {
  constexpr std::size_t kTokens = 256;
  Matrices matrices(type, 1, kTokens);
  double weights = 0;
  for (const auto& [rows, columns] : kShapes) weights += static_cast<double>(rows * columns);
  matrices.seconds(threads, isa);
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) seconds.push_back(matrices.seconds(threads, isa) / matrices.layers());
  const double layer = median(seconds);
  std::printf("| %s | %s | %u | %.0f | %.0f |\n", to_string(type).data(), to_string(isa).data(), threads,
              2 * weights * kTokens / layer / 1e9, kTokens / (layer * kLayers));
}

void report_attention(KvType type, const char* name, std::size_t tokens, Isa isa) {
  constexpr std::size_t kHeads = 32;
  constexpr std::size_t kHeadSize = 64;
  const std::size_t positions = tokens == 1 ? 2048 : tokens;
  const KvShape shape{type, 4, kHeadSize, positions};
  const std::size_t layers = 64;  // more than the caches hold
  const Memory memory = must(Memory::allocate(Bytes(layers * KvCache::size_of(shape).value)));
  std::vector<KvCache> caches;
  const auto values = random_floats(tokens * kHeads * kHeadSize);
  for (std::size_t i = 0; i < layers; ++i) {
    caches.push_back(must(KvCache::make(shape, memory.bytes().subspan(i * KvCache::size_of(shape).value))));
    for (std::size_t p = 0; p < positions; ++p) caches[i].append(p, values.data(), values.data() + 256);
  }
  std::vector<float> out(values.size());
  std::vector<float> scratch(attention_scratch_size(positions));
  const AttentionQueries queries{.values = values.data(),
                                 .stride = kHeads * kHeadSize,
                                 .tokens = tokens,
                                 .first_position = positions - tokens,
                                 .heads = kHeads,
                                 .first_head = 0,
                                 .first_kv_head = 0,
                                 .queries_per_kv = 8,
                                 .scale = 0.125f,
                                 .window = 0};
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    seconds.push_back(seconds_of(1, [&](unsigned) {
      for (const KvCache& cache : caches) {
        attention(cache, queries, {0, kHeads}, scratch.data(), out.data(), isa);
      }
    }));
  }
  const double layer = median(seconds) / static_cast<double>(layers);
  std::printf("| %s | %s | %zu at %zu | %.0f us | %.1f |\n", name, to_string(isa).data(), tokens, positions,
              layer * 1e6, static_cast<double>(KvCache::size_of(shape).value) / layer / 1e9);
}

/// With any argument, all instruction sets instead of the best.
int run(bool all) {
  const auto isas = all ? supported_isas() : supported_isas().last(1);
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<unsigned> thread_counts = {1};
  if (cores > 1) thread_counts.push_back(cores);
  std::printf(
      "| decode: weights | instructions | threads | GB/s | pure read, GB/s | share | tokens/s |\n"
      "|---|---|---|---|---|---|---|\n");
  for (const Isa isa : isas) {
    if (isa == Isa::kScalar) continue;
    for (const WeightType type : kTypes) {
      for (const unsigned threads : thread_counts) report_decode(type, threads, isa);
    }
  }
  std::printf(
      "\n| prefill, 256 tokens: weights | instructions | threads | Gop/s | tokens/s "
      "|\n|---|---|---|---|---|\n");
  for (const Isa isa : isas) {
    if (isa == Isa::kScalar) continue;
    for (const WeightType type : kTypes) {
      for (const unsigned threads : thread_counts) report_prefill(type, threads, isa);
    }
  }
  std::printf("\n| attention: cache | instructions | tokens | a layer | GB/s |\n|---|---|---|---|---|\n");
  for (const Isa isa : isas) {
    if (isa == Isa::kScalar) continue;
    for (const std::size_t tokens : {1u, 256u}) {
      report_attention(KvType::kF32, "f32", tokens, isa);
      report_attention(KvType::kF16, "f16", tokens, isa);
      report_attention(KvType::kQ8_0, "q8_0", tokens, isa);
    }
  }
  return 0;
}

}  // namespace
}  // namespace spanker

int main(int argc, char**) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  return spanker::run(argc > 1);
}
