#include "spanker/simulate/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "spanker/base/file.hpp"
#include "spanker/base/format_quantity.hpp"
#include "spanker/base/parse_quantity.hpp"
#include "spanker/simulate/timed_table.hpp"

namespace spanker {
namespace {

constexpr std::array kLinkStates = {LinkState::kDown, LinkState::kTraining, LinkState::kError,
                                    LinkState::kUp};
constexpr double kMostSlowdown = 1e9;

constexpr std::array<std::string_view, 9> kKeys = {"at",    "link",     "card",      "host_link", "one_way",
                                                   "state", "slowdown", "bandwidth", "load"};
constexpr std::array<std::string_view, 3> kTargets = {"link", "card", "host_link"};
constexpr std::array<std::string_view, 4> kChanges = {"state", "slowdown", "bandwidth", "load"};

class FaultReader {
 public:
  explicit FaultReader(const Cluster& cluster) : cluster_(cluster), network_(cluster) {}

  Fault read(const StrictTable& table) const {
    table.allow_only(kKeys);
    Fault fault;
    fault.at = read_at(table);
    const auto target = only(table, kTargets);
    if (!target) return fault;
    if (table.has("one_way") && *target != "link") {
      table.fail("one_way", "only a link has directions", "no such key, or link", std::string(*target));
    }
    if (*target == "link") {
      read_link_fault(table, fault);
    } else if (*target == "card") {
      read_card_fault(table, fault);
    } else {
      read_host_link_fault(table, fault);
    }
    return fault;
  }

 private:
  /// The one of `keys` that is there.
  static std::optional<std::string_view> only(const StrictTable& table,
                                              std::span<const std::string_view> keys) {
    std::optional<std::string_view> found;
    for (const std::string_view key : keys) {
      if (!table.has(key)) continue;
      if (found) {
        table.fail(key, "one too many in one fault", fmt::format("one of {}", fmt::join(keys, ", ")),
                   fmt::format("{} and {}", *found, key));
        return std::nullopt;
      }
      found = key;
    }
    if (!found) table.fail({}, "incomplete fault", fmt::format("one of {}", fmt::join(keys, ", ")));
    return found;
  }

  /// The change that the table tells, which must be one of `changes`.
  static std::optional<std::string_view> change_of(const StrictTable& table, std::string_view target,
                                                   std::span<const std::string_view> changes) {
    const auto change = only(table, kChanges);
    if (!change || std::ranges::find(changes, *change) != changes.end()) return change;
    table.fail(*change, fmt::format("not a change of {}", target),
               fmt::format("one of {}", fmt::join(changes, ", ")));
    return std::nullopt;
  }

  static ChangedBandwidth read_bandwidth(const StrictTable& table) {
    ChangedBandwidth changed;
    if (table.has("bandwidth")) {
      changed.bandwidth = table.quantity("bandwidth", parse_bandwidth);
    } else {
      changed.slowdown = table.number("slowdown", 1, kMostSlowdown);
    }
    return changed;
  }

  void read_link_fault(const StrictTable& table, Fault& fault) const {
    constexpr std::array<std::string_view, 3> kLinkChanges = {"state", "slowdown", "bandwidth"};
    const FaultyLink link = read_link(table);
    const auto change = change_of(table, "a link", kLinkChanges);
    if (!change) return;
    if (*change == "state") {
      fault.what = LinkStateFault{link, table.choice("state", kLinkStates)};
    } else {
      fault.what = LinkBandwidthFault{link, read_bandwidth(table)};
    }
  }

  void read_card_fault(const StrictTable& table, Fault& fault) const {
    constexpr std::array<std::string_view, 3> kCardChanges = {"state", "slowdown", "load"};
    const CardId card = table.integer("card", 0, cluster_.card_count - 1);
    const auto change = change_of(table, "a card", kCardChanges);
    if (!change) return;
    if (*change == "load") {
      fault.what = HostLoadFault{card, table.quantity("load", parse_bytes)};
    } else if (*change == "slowdown") {
      fault.what = CardSlowFault{card, table.number("slowdown", 1, kMostSlowdown)};
    } else {
      if (const std::string state = table.text("state", "\"lost\""); state != "lost") {
        table.fail("state", "unknown", "\"lost\"", fmt::format("\"{}\"", state));
      }
      fault.what = CardLostFault{card};
    }
  }

  void read_host_link_fault(const StrictTable& table, Fault& fault) const {
    constexpr std::array<std::string_view, 2> kHostLinkChanges = {"slowdown", "bandwidth"};
    if (!table.flag("host_link")) table.fail("host_link", "names no link", "true, or no such key", "false");
    if (!change_of(table, "the host link", kHostLinkChanges)) return;
    fault.what = HostLinkFault{read_bandwidth(table)};
  }

  FaultyLink read_link(const StrictTable& table) const {
    const std::string wanted = "an array of two ends, " + wanted_end();
    FaultyLink link;
    if (table.has("one_way")) link.one_way = table.flag("one_way");
    const toml::array* ends = table.array("link", wanted);
    if (ends == nullptr) return link;
    if (ends->size() != 2) {
      table.fail("link", "not two ends", wanted, std::to_string(ends->size()));
      return link;
    }
    const auto from = read_end(table, *ends->get(0));
    const auto to = read_end(table, *ends->get(1));
    if (!from || !to) return link;
    link.from = *from;
    link.to = *to;
    if (!network_.find_link(*from, *to)) {
      table.fail("link", "no such cable",
                 fmt::format("two ends of a cable of the {}", to_string(cluster_.topology)),
                 fmt::format("{} and {}", network_.node_name(*from), network_.node_name(*to)));
    }
    return link;
  }

  std::string wanted_end() const {
    return fmt::format("a card's number from 0 to {}{}", cluster_.card_count - 1,
                       cluster_.topology == Topology::kStar ? " or \"switch\"" : "");
  }

  std::optional<CardId> read_end(const StrictTable& table, const toml::node& node) const {
    const auto* number = node.as_integer();
    if (number != nullptr && number->get() >= 0 && number->get() < cluster_.card_count) {
      return static_cast<CardId>(number->get());
    }
    const auto* name = node.as_string();
    if (name != nullptr && cluster_.topology == Topology::kStar && name->get() == "switch") {
      return cluster_.card_count;
    }
    std::string got(type_of(node));
    if (number != nullptr) got = std::to_string(number->get());
    if (name != nullptr) got = fmt::format("\"{}\"", name->get());
    table.fail("link", "unknown end", wanted_end(), std::move(got));
    return std::nullopt;
  }

  const Cluster& cluster_;
  const Network network_;
};

/// Words for what happens, without its time.
class FaultWords {
 public:
  explicit FaultWords(const Network& network) : network_(network) {}

  std::string operator()(const LinkStateFault& fault) const {
    return fmt::format("{} {}", words(fault.link), to_string(fault.state));
  }
  std::string operator()(const LinkBandwidthFault& fault) const {
    return words(fault.link) + words(fault.bandwidth);
  }
  std::string operator()(const CardLostFault& fault) const { return fmt::format("card {} lost", fault.card); }
  std::string operator()(const CardSlowFault& fault) const {
    return fmt::format("card {}", fault.card) + words(ChangedBandwidth{fault.slowdown, std::nullopt});
  }
  std::string operator()(const HostLinkFault& fault) const { return "host link" + words(fault.bandwidth); }
  std::string operator()(const HostLoadFault& fault) const {
    return fmt::format("loading {} to card {}", format(fault.bytes), fault.card);
  }

 private:
  std::string words(const FaultyLink& link) const {
    return fmt::format("link {}{}{}", network_.node_name(link.from), link.one_way ? "->" : "-",
                       network_.node_name(link.to));
  }
  static std::string words(const ChangedBandwidth& changed) {
    if (changed.bandwidth) return " set to " + format(*changed.bandwidth);
    if (changed.slowdown == 1) return " at full speed";
    return fmt::format(" slowed {:.4g} times", changed.slowdown);
  }

  const Network& network_;
};

}  // namespace

std::string to_string(const Fault& fault, const Network& network) {
  return fmt::format("{} at {}", std::visit(FaultWords(network), fault.what), format(fault.at));
}

Result<std::vector<Fault>> parse_faults(std::string_view toml, std::string_view where,
                                        const Cluster& cluster) {
  const auto root = parse_toml(toml, where);
  if (!root) return tl::unexpected(root.error());
  FirstFault wrong;
  const StrictTable file(*root, where, "", wrong);
  const FaultReader reader(cluster);
  std::vector<Fault> faults;
  for (const StrictTable& table : timed_tables(file, "spanker.faults/1", "fault", kMostFaults)) {
    faults.push_back(reader.read(table));
  }
  if (wrong.error()) return tl::unexpected(*wrong.error());
  std::stable_sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) { return a.at < b.at; });
  return faults;
}

Result<std::vector<Fault>> load_faults(const std::string& path, const Cluster& cluster) {
  return read_text_file(path, kMostTimedFileBytes).and_then([&](const std::string& text) {
    return parse_faults(text, path, cluster);
  });
}

}  // namespace spanker
