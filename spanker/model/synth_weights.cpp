#include "spanker/model/synth_weights.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "spanker/base/byte_reader.hpp"
#include "spanker/base/float16.hpp"
#include "spanker/base/random.hpp"

// Values must be the same wherever they are made. So there are no functions of libm but sqrt, which IEEE 754
// rounds exactly, and no sum of a product, which some machines round once and others twice.
namespace spanker {
namespace {

constexpr double kBiasDeviation = 0.02;

template <class T>
std::byte* store(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof(T));
  return at + sizeof(T);
}

/// Calls next() for every element.
template <class Next>
ValueSource floats(TensorType type, Next next) {
  if (type == TensorType::kF16) {
    return [next](std::span<std::byte> out) mutable {
      for (std::byte* at = out.data(); at != out.data() + out.size();)
        at = store(at, half_from_float(next()));
    };
  }
  return [next](std::span<std::byte> out) mutable {
    for (std::byte* at = out.data(); at != out.data() + out.size();) at = store(at, next());
  };
}

/// Uniform around 0.
ValueSource around_zero(TensorType type, SplitMix64 random, double deviation) {
  // Odd multiples of a step, from -(2^23 - 1) to 2^23 - 1: symmetric, and each exact as a float.
  const auto step = static_cast<float>(deviation * std::sqrt(3.0) * 0x1p-23);
  return floats(type, [random, step]() mutable {
    const auto draw = static_cast<std::int32_t>(random.next() >> 41);
    return static_cast<float>(2 * draw + 1 - (1 << 23)) * step;
  });
}

/// Uniform in [0.9, 1.1).
ValueSource around_one(TensorType type, SplitMix64 random) {
  return floats(type, [random]() mutable {
    constexpr std::uint64_t kOne = 1 << 20;
    const std::uint64_t offset = (random.next() >> 44) * (kOne / 5) >> 20;
    return static_cast<float>(kOne - kOne / 10 + offset) * 0x1p-20f;
  });
}

/// Halves from 3/4 to 5/4 of a scale.
class Scales {
 public:
  /// For integers of that mean square, which times these scales shall have that deviation.
  Scales(double deviation, double mean_square) {
    // The mean square of 768/1024, 769/1024, ..., 1279/1024.
    constexpr double kMeanSquare = 1069397.5 / (1024.0 * 1024.0);
    const double scale = deviation / std::sqrt(mean_square * kMeanSquare);
    for (std::size_t i = 0; i < halves_.size(); ++i) {
      halves_[i] = half_from_float(static_cast<float>(static_cast<double>(768 + i) * scale / 1024));
    }
  }

  std::uint16_t pick(std::uint64_t draw) const { return halves_[draw % 512]; }

 private:
  std::array<std::uint16_t, 512> halves_;
};

/// Blocks of 32: a scale, then elements 0 to 15 in the low and 16 to 31 in the high halves of 16 bytes, each
/// 8 too great.
ValueSource q4_0(SplitMix64 random, double deviation) {
  constexpr double kMeanSquare = 21.5;  // of -8 to 7
  return [random, scales = Scales(deviation, kMeanSquare)](std::span<std::byte> out) mutable {
    for (std::byte* at = out.data(); at != out.data() + out.size();) {
      const std::uint64_t draw = random.next();
      // Either sign, as in files that were quantised; it makes up for -8 to 7 having a mean of -1/2.
      const std::uint64_t sign = draw >> 48 & 0x8000;
      at = store(at, static_cast<std::uint16_t>(sign | scales.pick(draw)));
      at = store(at, random.next());
      at = store(at, random.next());
    }
  };
}

/// Blocks of 32: a scale, then 32 signed bytes.
ValueSource q8_0(SplitMix64 random, double deviation) {
  constexpr double kMeanSquare = 5397.5;  // of -127 to 127, with 0 twice
  return [random, scales = Scales(deviation, kMeanSquare)](std::span<std::byte> out) mutable {
    for (std::byte* at = out.data(); at != out.data() + out.size();) {
      at = store(at, scales.pick(random.next()));
      const std::array draws = {random.next(), random.next(), random.next(), random.next()};
      auto elements = std::bit_cast<std::array<std::int8_t, 32>>(draws);
      // Quantising never makes -128, and kernels may count on that.
      for (std::int8_t& element : elements) element = element == -128 ? std::int8_t{0} : element;
      at = store(at, elements);
    }
  };
}

}  // namespace

Result<ValueSource> random_values(const NamedTensor& named, std::uint64_t seed) {
  const TensorType type = named.tensor.type;
  const SplitMix64 random(seed);
  const bool is_bias = named.name.ends_with(".bias");
  const bool is_near_one = named.purpose == TensorPurpose::kNorm || named.name == "rope_freqs.weight";
  const double deviation =
      is_bias ? kBiasDeviation : 1.0 / std::sqrt(static_cast<double>(named.tensor.columns));
  if (type == TensorType::kF32 || type == TensorType::kF16) {
    return is_near_one ? around_one(type, random) : around_zero(type, random, deviation);
  }
  if (type == TensorType::kQ8_0) return q8_0(random, deviation);
  if (type == TensorType::kQ4_0) return q4_0(random, deviation);
  return bad_input("tensor " + named.name, "random weights are not made of that type",
                   "q4_0, q8_0, f16 or f32", std::string(to_string(type)));
}

}  // namespace spanker
