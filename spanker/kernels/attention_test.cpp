#include "spanker/kernels/attention.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "spanker/base/float16.hpp"
#include "spanker/kernels/weights_for_test.hpp"

namespace spanker {
namespace {

constexpr KvType kKvTypes[] = {KvType::kF32, KvType::kF16, KvType::kQ8_0};

/// What a cache of that type can hold without loss, so that its own rounding is no part of the comparison.
std::vector<float> storable(testing::Rng& rng, KvType type, std::size_t count) {
  std::vector<float> values = testing::random_floats(rng, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (type == KvType::kF16) values[i] = float_from_half(half_from_float(values[i]));
    // Multiples of 1/128 with 127 of them first: the scale is 1/128.
    if (type == KvType::kQ8_0) values[i] = i % 32 == 0 ? 127.0f / 128 : std::round(values[i] * 127) / 128;
  }
  return values;
}

struct Shape {
  KvType type = KvType::kF32;
  std::size_t kv_heads = 2;  // of the cache
  std::size_t head_size = 64;
  std::size_t positions = 40;
  std::size_t heads = 8;
  std::size_t first_head = 0;
  std::size_t first_kv_head = 0;
  std::size_t queries_per_kv = 4;
  std::size_t window = 0;
};

struct Case {
  Case(testing::Rng& rng, const Shape& of)
      : shape(of),
        keys(storable(rng, of.type, of.positions * of.kv_heads * of.head_size)),
        values(storable(rng, of.type, keys.size())),
        queries(testing::random_floats(rng, of.positions * of.heads * of.head_size)),
        memory(KvCache::size_of({of.type, of.kv_heads, of.head_size, of.positions}).value) {
    for (float& query : queries) query *= 4;  // so that scores differ
    cache = *KvCache::make({of.type, of.kv_heads, of.head_size, of.positions}, memory);
  }

  void append(std::size_t position, Isa isa) const {
    const std::size_t row = shape.kv_heads * shape.head_size;
    cache.append(position, &keys[position * row], &values[position * row], isa);
  }

  /// [tokens][heads * head_size] for positions first to first + tokens - 1.
  std::vector<float> attend(std::size_t first, std::size_t tokens, HeadRange heads, Isa isa) const {
    const std::size_t stride = shape.heads * shape.head_size;
    std::vector<float> scratch(attention_scratch_size(first + tokens),
                               std::numeric_limits<float>::quiet_NaN());
    std::vector<float> out(tokens * stride, std::numeric_limits<float>::quiet_NaN());
    attention(cache,
              {.values = &queries[first * stride],
               .stride = stride,
               .tokens = tokens,
               .first_position = first,
               .heads = shape.heads,
               .first_head = shape.first_head,
               .first_kv_head = shape.first_kv_head,
               .queries_per_kv = shape.queries_per_kv,
               .scale = scale(),
               .window = shape.window},
              heads, scratch.data(), out.data(), isa);
    return out;
  }

  std::vector<float> decode_all(Isa isa) const {
    std::vector<float> out;
    for (std::size_t position = 0; position < shape.positions; ++position) {
      append(position, isa);
      const auto row = attend(position, 1, {0, shape.heads}, isa);
      out.insert(out.end(), row.begin(), row.end());
    }
    return out;
  }

  float scale() const { return 1 / std::sqrt(static_cast<float>(shape.head_size)); }

  /// What a head gives at a position, in doubles.
  std::vector<double> naive(std::size_t position, std::size_t head) const {
    const std::size_t kv = (shape.first_head + head) / shape.queries_per_kv - shape.first_kv_head;
    const float* query = &queries[(position * shape.heads + head) * shape.head_size];
    std::vector<double> sums(shape.head_size);
    double weights = 0;
    for (std::size_t p = 0; p <= position; ++p) {
      if (shape.window != 0 && p + shape.window <= position) continue;
      const std::size_t at = (p * shape.kv_heads + kv) * shape.head_size;
      double score = 0;
      for (std::size_t i = 0; i < shape.head_size; ++i) score += static_cast<double>(query[i]) * keys[at + i];
      const double weight = std::exp(score * scale());
      weights += weight;
      for (std::size_t i = 0; i < shape.head_size; ++i) sums[i] += weight * values[at + i];
    }
    for (double& sum : sums) sum /= weights;
    return sums;
  }

  Shape shape;
  std::vector<float> keys;
  std::vector<float> values;
  std::vector<float> queries;
  std::vector<std::byte> memory;
  KvCache cache;
};

/// Values are at most 1, so an output is off by at most the sum of the weights' errors, which is at most the
/// greatest relative error of a weight, e^(error of a score) and 1e-6 of softmax itself, and the roundings of
/// the last sum. Scores are sums of head_size products of at most 4 * 1, times 1 / sqrt(head_size).
double tolerance(const Shape& shape) {
  const auto size = static_cast<double>(shape.head_size);
  const double score = size * 4 * std::sqrt(size) * 0x1p-24;
  return 2 * score + 2e-6 + static_cast<double>(shape.positions) * 0x1p-24;
}

void expect_right(const Case& c, const std::vector<float>& out, const std::string& what) {
  const Shape& shape = c.shape;
  for (std::size_t position = 0; position < shape.positions; ++position) {
    for (std::size_t head = 0; head < shape.heads; ++head) {
      const auto wanted = c.naive(position, head);
      for (std::size_t d = 0; d < shape.head_size; ++d) {
        const float got = out[(position * shape.heads + head) * shape.head_size + d];
        ASSERT_NEAR(got, wanted[d], tolerance(shape))
            << what << ": position " << position << ", head " << head << ", element " << d;
      }
    }
  }
}

void expect_same(const std::vector<float>& got, const std::vector<float>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(wanted[i])) << i;
  }
}

void check(Shape shape, const std::string& what) {
  testing::Rng rng(14);
  for (const KvType type : kKvTypes) {
    shape.type = type;
    if (type == KvType::kQ8_0 && shape.head_size % 32 != 0) continue;
    const Case c(rng, shape);
    const auto wanted = c.decode_all(Isa::kScalar);
    for (const Isa isa : supported_isas()) {
      const auto out = c.decode_all(isa);
      expect_right(c, out, what);
      expect_same(out, wanted);
      expect_same(c.attend(0, shape.positions, {0, shape.heads}, isa), wanted);  // as prefill
    }
  }
}

TEST(Attention, GroupedQueries) { check({}, "4 queries a key"); }
TEST(Attention, AHeadForEachQuery) { check({.kv_heads = 3, .heads = 3, .queries_per_kv = 1}, "multi-head"); }
TEST(Attention, OneKeyForManyQueries) {
  check({.kv_heads = 1, .heads = 19, .queries_per_kv = 19}, "multi-query");
}
TEST(Attention, HeadSizesThatFillNoRegister) {
  for (const std::size_t size : {1u, 8u, 20u, 80u})
    check({.head_size = size, .positions = 18}, "odd head size");
}
TEST(Attention, CardsWithPartsOfGroups) {
  // The model's query heads 2 to 8, 4 a key/value head: the last two of head 0, all of 1, one of 2.
  check({.kv_heads = 3, .heads = 7, .first_head = 2}, "straddling");
  // Query heads 5 and 6, with key/value head 1 alone.
  check({.kv_heads = 1, .heads = 2, .first_head = 5, .first_kv_head = 1}, "inner");
}
TEST(Attention, SlidingWindow) {
  for (const std::size_t window : {1u, 15u, 16u, 17u, 40u, 100u}) check({.window = window}, "window");
}

TEST(Attention, ReadsNothingBeyondThePosition) {
  testing::Rng rng(15);
  for (const KvType type : kKvTypes) {
    const Case c(rng, {.type = type});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> trap(c.shape.kv_heads * c.shape.head_size, nan);
    for (const Isa isa : supported_isas()) {
      for (std::size_t p = 0; p < 40; ++p) c.append(p, isa);
      const auto wanted = c.attend(20, 1, {0, 8}, isa);
      for (std::size_t p = 21; p < 40; ++p) c.cache.append(p, trap.data(), trap.data(), isa);
      expect_same(c.attend(20, 1, {0, 8}, isa), wanted);
    }
  }
}

TEST(Attention, WritesTheHeadsOfTheRangeAlone) {
  testing::Rng rng(16);
  const Case c(rng, {});
  for (std::size_t p = 0; p < 40; ++p) c.append(p, best_isa());
  const auto all = c.attend(39, 1, {0, 8}, best_isa());
  for (std::size_t begin = 0; begin < 8; ++begin) {
    for (std::size_t end = begin; end <= 8; ++end) {
      const auto part = c.attend(39, 1, {begin, end}, best_isa());
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (i >= begin * 64 && i < end * 64) {
          EXPECT_EQ(part[i], all[i]);
        } else {
          EXPECT_TRUE(std::isnan(part[i]));
        }
      }
    }
  }
}

TEST(Attention, LosesNoMoreThanTheTypeOfTheCache) {
  // Errors of keys and values, each at most 1: half a unit of a half's 11 bits, or half a step of 1/127.
  testing::Rng rng(17);
  const std::pair<KvType, double> kTypes[] = {{KvType::kF16, 0x1p-12}, {KvType::kQ8_0, 0.505 / 127}};
  for (const auto& [type, error] : kTypes) {
    Case c(rng, {.type = type});
    c.keys = testing::random_floats(rng, c.keys.size());
    c.values = testing::random_floats(rng, c.values.size());
    // A score moves by the keys' error times the sum of the query's magnitudes, at most 4 each, times the
    // scale.
    const double score = error * 4 * 64 * c.scale();
    const auto out = c.decode_all(best_isa());
    double worst = 0;
    for (std::size_t head = 0; head < 8; ++head) {
      const auto wanted = c.naive(39, head);
      for (std::size_t d = 0; d < 64; ++d) {
        const double off = std::abs(out[(39 * 8 + head) * 64 + d] - wanted[d]);
        EXPECT_LE(off, std::expm1(2 * score) + error);
        worst = std::max(worst, off);
      }
    }
    EXPECT_GT(worst, error / 100) << "the type loses something";
  }
}

RC_GTEST_PROP(AttentionProperty, ATokenIsTheSameHoweverItIsComputed, ()) {
  Shape shape;
  shape.type = *rc::gen::elementOf(std::vector<KvType>(std::begin(kKvTypes), std::end(kKvTypes)));
  shape.head_size = 32 * *rc::gen::inRange<std::size_t>(1, 4);
  shape.positions = *rc::gen::inRange<std::size_t>(1, 70);
  shape.queries_per_kv = *rc::gen::inRange<std::size_t>(1, 10);
  shape.kv_heads = *rc::gen::inRange<std::size_t>(1, 4);
  shape.heads = shape.kv_heads * shape.queries_per_kv;
  shape.window = *rc::gen::inRange<std::size_t>(0, 30);
  const auto isa = *rc::gen::elementOf(std::vector<Isa>(supported_isas().begin(), supported_isas().end()));
  testing::Rng rng(*rc::gen::arbitrary<unsigned>());
  const Case c(rng, shape);
  const auto wanted = c.decode_all(isa);
  const auto first = *rc::gen::inRange<std::size_t>(0, shape.positions);
  const auto head = *rc::gen::inRange<std::size_t>(0, shape.heads);
  const auto part = c.attend(first, shape.positions - first, {head, shape.heads}, isa);
  const std::size_t stride = shape.heads * shape.head_size;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (i % stride < head * shape.head_size) continue;
    RC_ASSERT(std::bit_cast<std::uint32_t>(part[i]) ==
              std::bit_cast<std::uint32_t>(wanted[first * stride + i]));
  }
}

}  // namespace
}  // namespace spanker
