#include "spanker/base/quantity.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/parse_quantity.hpp"

namespace spanker {
namespace {

// What wrong code must not do: swap a rate and a size, or add what differs.
template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Dividable = requires(A a, B b) {
  a / b;
};
static_assert(Addable<Bytes, Bytes> && !Addable<Bytes, Ops> && !Addable<Bytes, std::uint64_t>);
static_assert(Dividable<Bytes, BytesPerSecond> && Dividable<Ops, OpsPerSecond>);
static_assert(!Dividable<BytesPerSecond, Bytes> && !Dividable<Bytes, OpsPerSecond> &&
              !Dividable<Ops, BytesPerSecond>);
static_assert(!std::is_convertible_v<double, BytesPerSecond> && !std::is_convertible_v<std::uint64_t, Bytes>);

TEST(Quantity, Arithmetic) {
  Bytes bytes(3);
  bytes += Bytes(4);
  EXPECT_EQ(bytes, Bytes(7));
  EXPECT_EQ(bytes + Bytes(1), Bytes(8));
  EXPECT_EQ(bytes * 2, Bytes(14));
  EXPECT_EQ(2 * bytes, Bytes(14));
  EXPECT_LT(Bytes(6), bytes);
  EXPECT_EQ(Bytes(), Bytes(0));
  EXPECT_DOUBLE_EQ((Bytes(1'000'000) / BytesPerSecond(500e6)).count(), 0.002);
  EXPECT_DOUBLE_EQ((Ops(40) / OpsPerSecond(20e9)).count(), 2e-9);
}

struct Text {
  std::string_view text;
  double value;
};

TEST(ParseBytes, EveryPrefix) {
  constexpr Text kTexts[] = {
      {"1 B", 1},
      {"3 kB", 3000},
      {"3 MB", 3000000},
      {"3 GB", 3000000000},
      {"3 TB", 3000000000000},
      {"3 KiB", 3072},
      {"3 MiB", 3145728},
      {"3 GiB", 3221225472},
      {"3 TiB", 3298534883328},
      {"0.5 KiB", 512},
      {".5 KiB", 512},
      {"1e3 B", 1000},
      {"1.5e+3 kB", 1500000},
      {"4GiB", 4294967296},
      {"4 \t GiB", 4294967296},
      {"007 B", 7},
  };
  for (const Text& t : kTexts) {
    const auto bytes = parse_bytes(t.text, "here");
    ASSERT_TRUE(bytes) << t.text;
    EXPECT_EQ(static_cast<double>(bytes->value), t.value) << t.text;
  }
}

TEST(ParseBytes, AreExactUpTo53BitsAndLessThan63) {
  EXPECT_EQ(parse_bytes("9007199254740991 B", "")->value, 9007199254740991u);
  EXPECT_EQ(parse_bytes("8388607 TiB", "")->value, 8388607ull << 40);
  EXPECT_FALSE(parse_bytes("8388608 TiB", ""));
  EXPECT_FALSE(parse_bytes("1e30 TB", ""));
}

// 0.067 * 1e9 is not whole in binary.
TEST(ParseBytes, ADecimalFractionOfAPrefixIsWhole) {
  for (std::uint64_t thousandths = 1; thousandths < 20'000; ++thousandths) {
    char number[32];
    std::snprintf(number, sizeof(number), "%u.%03u", static_cast<unsigned>(thousandths / 1000),
                  static_cast<unsigned>(thousandths % 1000));
    std::uint64_t unit = 1;
    for (const char* symbol : {" kB", " MB", " GB", " TB"}) {
      const auto bytes = parse_bytes(number + std::string(symbol), "");
      ASSERT_TRUE(bytes) << number << symbol;
      ASSERT_EQ(bytes->value, thousandths * unit) << number << symbol;
      unit *= 1000;
    }
  }
}

TEST(ParseBandwidth, BytesAndBits) {
  constexpr Text kTexts[] = {
      {"1 B/s", 1},
      {"8 b/s", 1},
      {"2.0 GB/s", 2e9},
      {"1.25 Gb/s", 156.25e6},
      {"100 Mb/s", 12.5e6},
      {"64 kb/s", 8000},
      {"1 Tb/s", 125e9},
      {"500 MB/s", 500e6},
      {"2 kB/s", 2000},
      {"3 TB/s", 3e12},
      {"1 KiB/s", 1024},
      {"8 Kib/s", 1024},
      {"1 MiB/s", 1048576},
      {"8 Mib/s", 1048576},
      {"1 GiB/s", 1073741824},
      {"8 Gib/s", 1073741824},
      {"0.5 B/s", 0.5},
      {"1 TiB/s", 1099511627776},
      {"8 Tib/s", 1099511627776},
  };
  for (const Text& t : kTexts) {
    const auto rate = parse_bandwidth(t.text, "here");
    ASSERT_TRUE(rate) << t.text;
    EXPECT_DOUBLE_EQ(rate->value, t.value) << t.text;
  }
}

TEST(ParseOpRate, EveryPrefix) {
  constexpr Text kTexts[] = {
      {"1 op/s", 1},         {"2 kop/s", 2e3},         {"2 Mop/s", 2e6},
      {"20 Gop/s", 20e9},    {"1.5 Top/s", 1.5e12},    {"1 Kiop/s", 1024},
      {"1 Miop/s", 1048576}, {"1 Giop/s", 1073741824}, {"1 Tiop/s", 1099511627776},
  };
  for (const Text& t : kTexts) {
    const auto rate = parse_op_rate(t.text, "here");
    ASSERT_TRUE(rate) << t.text;
    EXPECT_DOUBLE_EQ(rate->value, t.value) << t.text;
  }
}

TEST(ParseDuration, EveryUnit) {
  constexpr Text kTexts[] = {
      {"1 s", 1},     {"50 ms", 0.05}, {"1 us", 1e-6}, {"0.5 us", 5e-7},
      {"7 ns", 7e-9}, {"0 us", 0},     {"0s", 0},      {"1e2 ms", 0.1},
  };
  for (const Text& t : kTexts) {
    const auto time = parse_duration(t.text, "here");
    ASSERT_TRUE(time) << t.text;
    EXPECT_DOUBLE_EQ(time->count(), t.value) << t.text;
  }
}

TEST(ParsePower, EveryUnit) {
  constexpr Text kTexts[] = {{"12 W", 12}, {"0.5W", 0.5}, {"800 mW", 0.8}, {"1.2 kW", 1200}, {"1e3 mW", 1}};
  for (const Text& t : kTexts) {
    const auto power = parse_power(t.text, "here");
    ASSERT_TRUE(power) << t.text;
    EXPECT_DOUBLE_EQ(power->value, t.value) << t.text;
  }
}

TEST(ParseFrequency, TimesPerSecond) {
  constexpr Text kTexts[] = {{"5/s", 5}, {"0.5 /s", 0.5}, {"1e3/s", 1000}};
  for (const Text& t : kTexts) {
    const auto frequency = parse_frequency(t.text, "here");
    ASSERT_TRUE(frequency) << t.text;
    EXPECT_DOUBLE_EQ(frequency->value, t.value) << t.text;
  }
}

TEST(ParsePrice, AnyThreeCapitalLettersAreACurrency) {
  constexpr Text kTexts[] = {{"89 EUR", 89}, {"0.05 USD", 0.05}, {"79.95XYZ", 79.95}, {"1e3 \tJPY", 1000}};
  for (const Text& t : kTexts) {
    const auto price = parse_price(t.text, "here");
    ASSERT_TRUE(price) << t.text;
    EXPECT_DOUBLE_EQ(price->amount.value, t.value) << t.text;
    EXPECT_EQ(price->currency, t.text.substr(t.text.size() - 3)) << t.text;
  }
}

template <class T>
void expect_refused(const Result<T>& result, std::string_view text, std::string_view wanted) {
  ASSERT_FALSE(result) << text;
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput) << text;
  EXPECT_EQ(result.error().where, "x.toml: link") << text;
  EXPECT_EQ(result.error().what, "not a quantity") << text;
  EXPECT_NE(result.error().wanted.find(wanted), std::string::npos) << text << ": " << result.error().wanted;
  EXPECT_EQ(result.error().got, "\"" + std::string(text) + "\"");
}

// Whatever the unit, no parser takes these: "@" stands for a unit that the parser knows.
constexpr std::string_view kNeverQuantities[] = {
    "",         " ",          "@",       "5",      "5 ",         " 5 @",  "-5 @",  "+5 @",    "inf @",
    "nan @",    "infinity @", "5 @ ",    "5 @ x",  "5 x@",       "5 @@",  "1,5 @", "1.2.3 @", "0x10 @",
    ". @",      "e5 @",       "1e999 @", "five @", "5 m @",      "5 KB",  "5 gB",  "5 bytes", "5 B/min",
    "5 flop/s", "5 k",        "5 min",   "\n5 @",  "5\xc2\xa0@", "5 Pi@",
};

std::string with_unit(std::string_view text, std::string_view unit) {
  std::string out;
  for (const char c : text) out += c == '@' ? std::string(unit) : std::string(1, c);
  return out;
}

TEST(Parse, RefusesWhatIsNoQuantity) {
  for (const std::string_view pattern : kNeverQuantities) {
    const auto in = [&](std::string_view unit) { return with_unit(pattern, unit); };
    expect_refused(parse_bytes(in("B"), "x.toml: link"), in("B"), "whole bytes");
    expect_refused(parse_bandwidth(in("B/s"), "x.toml: link"), in("B/s"), "rate");
    expect_refused(parse_bandwidth(in("b/s"), "x.toml: link"), in("b/s"), "rate");
    expect_refused(parse_op_rate(in("op/s"), "x.toml: link"), in("op/s"), "operation rate");
    expect_refused(parse_duration(in("s"), "x.toml: link"), in("s"), "time");
    expect_refused(parse_frequency(in("/s"), "x.toml: link"), in("/s"), "how often");
    expect_refused(parse_power(in("W"), "x.toml: link"), in("W"), "power");
    expect_refused(parse_price(in("EUR"), "x.toml: link"), in("EUR"), "price");
  }
}

TEST(Parse, RefusesAForeignUnit) {
  for (const std::string_view text : {"5 GB/s", "5 b", "5 s", "5 op/s"}) {
    expect_refused(parse_bytes(text, "x.toml: link"), text, "whole bytes");
  }
  for (const std::string_view text : {"5 GB", "5 op/s", "5 us", "5 B/S"}) {
    expect_refused(parse_bandwidth(text, "x.toml: link"), text, "rate");
  }
  for (const std::string_view text : {"5 GB/s", "5 op", "5 b/s", "5 ops/s"}) {
    expect_refused(parse_op_rate(text, "x.toml: link"), text, "operation rate");
  }
  for (const std::string_view text : {"5 B", "5 ks", "5 Ms", "5 ps", "5 US"}) {
    expect_refused(parse_duration(text, "x.toml: link"), text, "time");
  }
  for (const std::string_view text : {"5 Hz", "5 k/s", "5 /min", "5 B/s", "5 s"}) {
    expect_refused(parse_frequency(text, "x.toml: link"), text, "how often");
  }
  for (const std::string_view text : {"5 MW", "5 KW", "5 w", "5 Wh", "5 GW", "5 KiW", "5 EUR"}) {
    expect_refused(parse_power(text, "x.toml: link"), text, "power");
  }
  for (const std::string_view text :
       {"5 eur", "5 Eur", "5 EU", "5 EURO", "5 kEUR", "EUR 5", "5 $", "5 \xe2\x82\xac", "5 E1R", "5 E R"}) {
    expect_refused(parse_price(text, "x.toml: link"), text, "price");
  }
}

TEST(Parse, RefusesZeroButForATime) {
  expect_refused(parse_frequency("0/s", "x.toml: link"), "0/s", "above zero");
  expect_refused(parse_power("0 W", "x.toml: link"), "0 W", "above zero");
  expect_refused(parse_price("0.00 EUR", "x.toml: link"), "0.00 EUR", "above zero");
  expect_refused(parse_bytes("0 B", "x.toml: link"), "0 B", "whole bytes");
  expect_refused(parse_bandwidth("0 GB/s", "x.toml: link"), "0 GB/s", "above zero");
  expect_refused(parse_op_rate("0.0 op/s", "x.toml: link"), "0.0 op/s", "above zero");
  EXPECT_EQ(parse_duration("0 ns", "")->count(), 0);
}

TEST(Parse, RefusesAValueThatOverflows) {
  expect_refused(parse_bandwidth("1e300 TB/s", "x.toml: link"), "1e300 TB/s", "rate");
  expect_refused(parse_op_rate("1e300 Top/s", "x.toml: link"), "1e300 Top/s", "operation rate");
  expect_refused(parse_power("1e306 kW", "x.toml: link"), "1e306 kW", "power");
}

TEST(ParseBytes, RefusesAFractionOfAByte) {
  for (const std::string_view text : {"0.5 B", "1.0005 kB", "0.0001 B", "1000000.5 B"}) {
    expect_refused(parse_bytes(text, "x.toml: link"), text, "whole bytes");
  }
}

TEST(Format, BytesHaveUpToFourDigitsAndPowersOf1000) {
  EXPECT_EQ(format(Bytes(0)), "0 B");
  EXPECT_EQ(format(Bytes(1)), "1 B");
  EXPECT_EQ(format(Bytes(999)), "999 B");
  EXPECT_EQ(format(Bytes(1000)), "1 kB");
  EXPECT_EQ(format(Bytes(1234)), "1.234 kB");
  EXPECT_EQ(format(Bytes(582'000'000)), "582 MB");
  EXPECT_EQ(format(Bytes(582'345'678)), "582.3 MB");
  EXPECT_EQ(format(Bytes(7'000'000'000'000)), "7 TB");
  EXPECT_EQ(format(Bytes(std::numeric_limits<std::uint64_t>::max())), "18446744 TB");
}

TEST(Format, NeverRoundsUpToAThousand) {
  EXPECT_EQ(format(Bytes(999'949)), "999.9 kB");
  EXPECT_EQ(format(Bytes(999'950)), "1 MB");
  EXPECT_EQ(format(Bytes(999'999)), "1 MB");
  EXPECT_EQ(format(Bytes(999'949'999)), "999.9 MB");
  EXPECT_EQ(format(Bytes(999'950'000)), "1 GB");
  EXPECT_EQ(format(Bytes(999'950'000'000)), "1 TB");
  EXPECT_EQ(format(BytesPerSecond(999.95)), "1 kB/s");
  EXPECT_EQ(format(BytesPerSecond(999.94)), "999.9 B/s");
  EXPECT_EQ(format(Seconds(999.949e-9)), "999.9 ns");
  EXPECT_EQ(format(Seconds(999.95e-9)), "1 us");
  EXPECT_EQ(format(Seconds(999.949e-6)), "999.9 us");
  EXPECT_EQ(format(Seconds(999.95e-6)), "1 ms");
  EXPECT_EQ(format(Seconds(999.949e-3)), "999.9 ms");
  EXPECT_EQ(format(Seconds(999.95e-3)), "1 s");
}

TEST(Format, Rates) {
  EXPECT_EQ(format(BytesPerSecond(2e9)), "2 GB/s");
  EXPECT_EQ(format(BytesPerSecond(156.25e6)), "156.2 MB/s");
  EXPECT_EQ(format(BytesPerSecond(0.5)), "0.5 B/s");
  EXPECT_EQ(format(BytesPerSecond(5e15)), "5000 TB/s");
  EXPECT_EQ(format(BytesPerSecond(1e300)), "1e+288 TB/s");
  EXPECT_EQ(format(OpsPerSecond(20e9)), "20 Gop/s");
  EXPECT_EQ(format(OpsPerSecond(1.5e12)), "1.5 Top/s");
}

TEST(Format, Powers) {
  EXPECT_EQ(format(Watts(0.0051)), "5.1 mW");
  EXPECT_EQ(format(Watts(0.99994)), "999.9 mW");
  EXPECT_EQ(format(Watts(0.99995)), "1 W");
  EXPECT_EQ(format(Watts(7.2)), "7.2 W");
  EXPECT_EQ(format(Watts(999.94)), "999.9 W");
  EXPECT_EQ(format(Watts(999.95)), "1 kW");
  EXPECT_EQ(format(Watts(25e6)), "25000 kW");
}

TEST(Format, AmountsOfMoney) {
  EXPECT_EQ(format(Money(80)), "80");
  EXPECT_EQ(format(Money(79.95)), "79.95");
  EXPECT_EQ(format(Money(79.5)), "79.50");
  EXPECT_EQ(format(Money(123456.789)), "123456.79");
  EXPECT_EQ(format(Money(99.999)), "100");
  EXPECT_EQ(format(Money(0.001)), "0.001");
  EXPECT_EQ(format(Money(1e300)), "1e+300");
}

TEST(Format, Times) {
  EXPECT_EQ(format(Seconds(0)), "0 s");
  EXPECT_EQ(format(Seconds(7e-9)), "7 ns");
  EXPECT_EQ(format(Seconds(30.6e-6)), "30.6 us");
  EXPECT_EQ(format(Seconds(0.0125)), "12.5 ms");
  EXPECT_EQ(format(Seconds(59.5)), "59.5 s");
  EXPECT_EQ(format(Seconds(61.5)), "61.5 s");
  EXPECT_EQ(format(Seconds(999.99)), "1000 s");
  EXPECT_EQ(format(Seconds(86400)), "86400 s");
  EXPECT_EQ(format(Seconds(std::numeric_limits<double>::infinity())), "inf s");
}

TEST(FormatBinary, WholePowersOf1024) {
  EXPECT_EQ(format_binary(Bytes(0)), "0 B");
  EXPECT_EQ(format_binary(Bytes(512)), "512 B");
  EXPECT_EQ(format_binary(Bytes(1024)), "1 KiB");
  EXPECT_EQ(format_binary(Bytes(1025)), "1.025 kB");
  EXPECT_EQ(format_binary(Bytes(1536)), "1.536 kB");
  EXPECT_EQ(format_binary(Bytes(3 << 20)), "3 MiB");
  EXPECT_EQ(format_binary(Bytes((3 << 20) + 1024)), "3073 KiB");
  EXPECT_EQ(format_binary(Bytes(4ull << 30)), "4 GiB");
  EXPECT_EQ(format_binary(Bytes(2ull << 40)), "2048 GiB");
}

// Half a unit of the fourth digit, at worst of a number that starts with 1.
constexpr double kRounding = 5.001e-4;

void assert_near(double got, double wanted) { RC_ASSERT(std::abs(got - wanted) <= kRounding * wanted); }

RC_GTEST_PROP(FormatThenParse, GivesBytesBack, ()) {
  const auto bits = *rc::gen::inRange(1, 62);
  const auto value = *rc::gen::inRange<std::uint64_t>(1, std::uint64_t{1} << bits);
  const auto decimal = parse_bytes(format(Bytes(value)), "");
  RC_ASSERT(decimal.has_value());
  assert_near(static_cast<double>(decimal->value), static_cast<double>(value));
  const auto binary = parse_bytes(format_binary(Bytes(value)), "");
  RC_ASSERT(binary.has_value());
  assert_near(static_cast<double>(binary->value), static_cast<double>(value));
}

RC_GTEST_PROP(FormatThenParse, GivesWholeBinaryUnitsBackExactly, ()) {
  const auto shift = *rc::gen::element(10, 20, 30);
  const Bytes bytes(*rc::gen::inRange<std::uint64_t>(1, 1 << 20) << shift);
  RC_ASSERT(parse_bytes(format_binary(bytes), "").value() == bytes);
}

RC_GTEST_PROP(FormatThenParse, GivesRatesAndTimesBack, ()) {
  const auto mantissa = *rc::gen::inRange(100'000, 1'000'000);
  const double value = mantissa * std::pow(10.0, *rc::gen::inRange(-17, 9));
  const auto rate = parse_bandwidth(format(BytesPerSecond(value)), "");
  RC_ASSERT(rate.has_value());
  assert_near(rate->value, value);
  const auto ops = parse_op_rate(format(OpsPerSecond(value)), "");
  RC_ASSERT(ops.has_value());
  assert_near(ops->value, value);
  const auto power = parse_power(format(Watts(value)), "");
  RC_ASSERT(power.has_value());
  assert_near(power->value, value);
  const auto time = parse_duration(format(Seconds(value)), "");
  RC_ASSERT(time.has_value());
  assert_near(time->count(), value);
}

TEST(ParseShare, TakesPercentFrom0To100) {
  EXPECT_EQ(parse_share("0 %", "x"), Share(0));
  EXPECT_EQ(parse_share("12.5%", "x"), Share(0.125));
  EXPECT_EQ(parse_share("100 %", "x"), Share(1));
  for (const char* bad : {"0.1", "5", "%", "-1 %", "100.1 %", "5 k%", "5 % "}) {
    const auto share = parse_share(bad, "x: y");
    ASSERT_FALSE(share) << bad;
    EXPECT_EQ(
        to_line(share.error()),
        "x: y: not a quantity, wanted a share from \"0 %\" to \"100 %\", got \"" + std::string(bad) + "\"");
  }
  EXPECT_EQ(format(Share(0.125)), "12.5 %");
}

}  // namespace
}  // namespace spanker
