#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "spanker/base/file.hpp"
#include "spanker/base/format_quantity.hpp"
#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

/// A basic string of TOML. The reader bounds the dots of a line, which may all be in one text: a text's later
/// dots are escaped.
std::string quoted(std::string_view text) {
  constexpr int kMostPlainDots = 16;
  int dots = 0;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || (c == '.' && ++dots > kMostPlainDots)) {
      result += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

struct Unit {
  std::string_view symbol;
  double factor;
};

/// The fewest digits that are read back as `value` by the factor of a unit; nothing where none are.
std::optional<std::string> digits_of(double value, double factor) {
  for (int precision = 1; precision <= 17; ++precision) {
    std::string text = fmt::format("{:.{}g}", value / factor, precision);
    const double number = std::strtod(text.c_str(), nullptr);
    // Without the exponents of {:g}.
    if (number * factor == value) return fmt::format("{}", number);
  }
  return std::nullopt;
}

/// `value`, in base units, by the unit that takes the shortest number from which it is read back bit by bit;
/// among those the first. The last unit is the base unit.
template <std::size_t N>
std::string amount(double value, const std::array<Unit, N>& units) {
  std::optional<std::string> shortest;
  std::string_view symbol;
  for (const Unit& unit : units) {
    if (value < unit.factor && unit.factor != units.back().factor) continue;
    const auto digits = digits_of(value, unit.factor);
    if (!digits || (shortest && shortest->size() <= digits->size())) continue;
    shortest = digits;
    symbol = unit.symbol;
  }
  return fmt::format("{} {}", shortest.value_or(fmt::format("{}", value)), symbol);
}

std::string text_of(BytesPerSecond rate) {
  return amount(rate.value, std::array{Unit{"GB/s", 1e9}, Unit{"MB/s", 1e6}, Unit{"B/s", 1}});
}
std::string text_of(OpsPerSecond rate) {
  return amount(rate.value, std::array{Unit{"Gop/s", 1e9}, Unit{"Mop/s", 1e6}, Unit{"op/s", 1}});
}
std::string text_of(Seconds time) {
  return amount(time.count(), std::array{Unit{"ms", 1e-3}, Unit{"us", 1e-6}, Unit{"ns", 1e-9}, Unit{"s", 1}});
}
std::string text_of(Watts power) { return fmt::format("{} W", power.value); }
std::string text_of(Share share) { return amount(share.value, std::array{Unit{"%", 0.01}}); }
std::string text_of(Bytes bytes) {
  return bytes.value % 1024 == 0 ? format_binary(bytes) : fmt::format("{} B", bytes.value);
}

class ProfileWriter {
 public:
  explicit ProfileWriter(const Cluster& cluster) : cluster_(cluster) {}

  std::string text() {
    line("schema = \"spanker.cluster/1\"");
    line("name = " + quoted(cluster_.name));
    if (!cluster_.description.empty()) line("description = " + quoted(cluster_.description));
    line(fmt::format("cards = {}", cluster_.card_count));
    line(fmt::format("topology = \"{}\"", to_string(cluster_.topology)));
    if (cluster_.topology == Topology::kTorus) {
      line(fmt::format("torus_columns = {}", cluster_.torus_columns));
    }
    line("\n[card]");
    card(cluster_.card);
    if (cluster_.link.bandwidth.value.value > 0) {
      line("\n[link]");
      quantity("bandwidth", cluster_.link.bandwidth);
      quantity("latency", cluster_.link.latency);
    }
    line("\n[host_link]");
    quantity("bandwidth", cluster_.host_link.bandwidth);
    quantity("latency", cluster_.host_link.latency);
    line(fmt::format("shared = {}", cluster_.host_link.shared));
    star_switch();
    overrides();
    return std::move(text_);
  }

 private:
  void line(std::string_view text) {
    text_ += text;
    text_ += '\n';
  }

  std::string text_of(Money amount) const { return fmt::format("{} {}", amount.value, cluster_.currency); }

  template <class T>
  void quantity(std::string_view key, const Ranged<T>& ranged) {
    const auto as_text = [&](T value) {
      if constexpr (std::is_same_v<T, Money>) {
        return text_of(value);
      } else {
        return spanker::text_of(value);
      }
    };
    std::string table = fmt::format("value = \"{}\"", as_text(ranged.value));
    if (ranged.low != ranged.value) table += fmt::format(", low = \"{}\"", as_text(ranged.low));
    if (ranged.high != ranged.value) table += fmt::format(", high = \"{}\"", as_text(ranged.high));
    if (!ranged.source.empty()) table += ", source = " + quoted(ranged.source);
    line(fmt::format("{} = {{ {} }}", key, table));
  }

  template <class T>
  void quantity(std::string_view key, const std::optional<Ranged<T>>& ranged) {
    if (ranged) quantity(key, *ranged);
  }

  /// Left out where it is what it is by default; not in an override, where that would be the card's.
  void overhead(std::string_view key, const Ranged<Seconds>& ranged) {
    if (in_override_ || ranged != Ranged<Seconds>{}) quantity(key, ranged);
  }

  void card(const CardSpec& spec) {
    quantity("memory_bandwidth", spec.memory_bandwidth);
    quantity("memory_capacity", spec.memory_capacity);
    quantity("compute", spec.compute);
    overhead("step_overhead", spec.step_overhead);
    overhead("token_overhead", spec.token_overhead);
    quantity("serial_share", spec.serial_share);
    if (spec.serial_layer) line(fmt::format("serial_layer = \"{}\"", spanker::text_of(*spec.serial_layer)));
    quantity("wait_share", spec.wait_share);
    quantity("price", spec.price);
    quantity("power", spec.power);
  }

  void star_switch() {
    if (cluster_.star_switch == SwitchSpec{}) return;
    line("\n[switch]");
    quantity("contention", cluster_.star_switch.contention);
    quantity("price", cluster_.star_switch.price);
    quantity("power", cluster_.star_switch.power);
  }

  void overrides() {
    in_override_ = true;
    for (const auto& [id, spec] : cluster_.card_overrides) {
      line(fmt::format("\n[[card_override]]\ncard = {}", id));
      card(spec);
    }
    const auto end = [&](CardId id) {
      return id == cluster_.card_count ? std::string("\"switch\"") : std::to_string(id);
    };
    for (const auto& [ends, spec] : cluster_.link_overrides) {
      line(fmt::format("\n[[link_override]]\nfrom = {}\nto = {}\none_way = true", end(ends.first),
                       end(ends.second)));
      quantity("bandwidth", spec.bandwidth);
      quantity("latency", spec.latency);
      line(fmt::format("state = \"{}\"", to_string(spec.state)));
    }
  }

  const Cluster& cluster_;
  bool in_override_ = false;
  std::string text_;
};

}  // namespace

std::string profile_text(const Cluster& cluster) { return ProfileWriter(cluster).text(); }

Result<void> write_profile(const std::string& path, const Cluster& cluster) {
  const std::string text = profile_text(cluster);
  if (text.size() > kMaxProfileBytes) {
    return bad_input(path, "too long for a profile", fmt::format("at most {} bytes", kMaxProfileBytes),
                     fmt::format("{} bytes", text.size()));
  }
  return write_file_atomically(path, text);
}

}  // namespace spanker
