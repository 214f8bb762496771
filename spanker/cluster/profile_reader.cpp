#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "spanker/base/parse_quantity.hpp"
#include "spanker/base/strict_table.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/cluster/profile_warnings.hpp"
#include "spanker/cluster/ranged_quantity.hpp"

namespace spanker {
namespace {

constexpr std::string_view kSchema = "spanker.cluster/1";
constexpr std::array kTopologies = {Topology::kRing, Topology::kLine, Topology::kFullMesh, Topology::kStar,
                                    Topology::kTorus};
constexpr std::array kLinkStates = {LinkState::kUp, LinkState::kDown, LinkState::kTraining,
                                    LinkState::kError};
constexpr std::array kLineCodings = {LineCoding::k8b10b, LineCoding::k64b66b};

constexpr std::array<std::string_view, 12> kProfileKeys = {
    "schema",        "name", "description", "cards",  "card",          "topology",
    "torus_columns", "link", "host_link",   "switch", "card_override", "link_override"};
constexpr std::array<std::string_view, 10> kCardKeys = {
    "memory_bandwidth", "memory_capacity", "compute",    "step_overhead", "token_overhead",
    "serial_share",     "serial_layer",    "wait_share", "price",         "power"};
constexpr std::array<std::string_view, 11> kCardOverrideKeys = {
    "card",         "memory_bandwidth", "memory_capacity", "compute", "step_overhead", "token_overhead",
    "serial_share", "serial_layer",     "wait_share",      "price",   "power"};
constexpr std::array<std::string_view, 3> kSwitchKeys = {"contention", "price", "power"};
constexpr std::array<std::string_view, 5> kLinkKeys = {"lanes", "lane_rate", "coding", "bandwidth",
                                                       "latency"};
constexpr std::array<std::string_view, 3> kCodedLinkKeys = {"lanes", "lane_rate", "coding"};
constexpr std::array<std::string_view, 3> kHostLinkKeys = {"bandwidth", "latency", "shared"};
constexpr std::array<std::string_view, 6> kLinkOverrideKeys = {"from",    "to",    "bandwidth",
                                                               "latency", "state", "one_way"};

bool has_any(const StrictTable& table, std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (table.has(key)) return true;
  }
  return false;
}

/// Reads into `spec`, of a card or of the switch, what `table` says of its price and power. The first price
/// of a profile settles `currency`.
template <class Spec>
void read_price_and_power(const StrictTable& table, Spec& spec, std::string& currency) {
  const auto in_currency = [&](std::string_view text, std::string_view where) -> Result<Money> {
    const auto price = parse_price(text, where);
    if (!price) return tl::unexpected(price.error());
    if (currency.empty()) currency = price->currency;
    if (price->currency != currency) {
      return bad_input(std::string(where), "prices in two currencies",
                       fmt::format("{}, as the prices before it", currency), price->currency);
    }
    return price->amount;
  };
  if (table.has("price")) spec.price = ranged_quantity(table, "price", in_currency);
  if (table.has("power")) spec.power = ranged_quantity(table, "power", parse_power);
}

/// Reads into `spec` what `table` says of a card.
void read_card(const StrictTable& table, CardSpec& spec, std::string& currency) {
  if (table.has("memory_bandwidth"))
    spec.memory_bandwidth = ranged_quantity(table, "memory_bandwidth", parse_bandwidth);
  if (table.has("memory_capacity"))
    spec.memory_capacity = ranged_quantity(table, "memory_capacity", parse_bytes);
  if (table.has("compute")) spec.compute = ranged_quantity(table, "compute", parse_op_rate);
  if (table.has("step_overhead"))
    spec.step_overhead = ranged_quantity(table, "step_overhead", parse_duration);
  if (table.has("token_overhead"))
    spec.token_overhead = ranged_quantity(table, "token_overhead", parse_duration);
  if (table.has("serial_share")) spec.serial_share = ranged_quantity(table, "serial_share", parse_share);
  if (table.has("serial_layer")) {
    spec.serial_layer = table.quantity("serial_layer", parse_bytes);
    if (!spec.serial_share) table.fail("serial_layer", "says nothing by itself", "serial_share beside it");
  }
  if (table.has("wait_share")) spec.wait_share = ranged_quantity(table, "wait_share", parse_share);
  read_price_and_power(table, spec, currency);
}

CardSpec read_card_defaults(const StrictTable& table, std::string& currency) {
  table.allow_only(kCardKeys);
  for (const std::string_view key : {"memory_bandwidth", "memory_capacity"}) {
    if (!table.has(key)) table.fail(key, "missing", "a quantity");
  }
  CardSpec spec;
  read_card(table, spec, currency);
  return spec;
}

/// The payload rate of `lanes` lanes that run at `lane_rate`, over its whole range.
Ranged<BytesPerSecond> read_coded_bandwidth(const StrictTable& table) {
  const std::uint32_t lanes = table.integer("lanes", 1, 1024);
  const Ranged<BytesPerSecond> rate = ranged_quantity(table, "lane_rate", parse_bandwidth);
  const LineCoding coding = table.choice("coding", kLineCodings);
  const auto payload = [&](BytesPerSecond lane) { return coded_bandwidth(lanes, lane.value * 8, coding); };
  return {payload(rate.value), payload(rate.low), payload(rate.high), rate.source};
}

LinkSpec read_link(const StrictTable& table) {
  constexpr std::string_view kEither = "either bandwidth, or lanes, lane_rate and coding";
  table.allow_only(kLinkKeys);
  LinkSpec spec;
  const bool coded = has_any(table, kCodedLinkKeys);
  if (coded && table.has("bandwidth")) {
    table.fail("bandwidth", "given twice", std::string(kEither), "both");
  } else if (coded) {
    spec.bandwidth = read_coded_bandwidth(table);
  } else if (table.has("bandwidth")) {
    spec.bandwidth = ranged_quantity(table, "bandwidth", parse_bandwidth);
  } else {
    table.fail("bandwidth", "missing", std::string(kEither));
  }
  spec.latency = ranged_quantity(table, "latency", parse_duration);
  return spec;
}

HostLinkSpec read_host_link(const StrictTable& table) {
  table.allow_only(kHostLinkKeys);
  HostLinkSpec spec;
  spec.bandwidth = ranged_quantity(table, "bandwidth", parse_bandwidth);
  spec.latency = ranged_quantity(table, "latency", parse_duration);
  if (table.has("shared")) spec.shared = table.flag("shared");
  return spec;
}

void read_topology(const StrictTable& profile, Cluster& cluster) {
  cluster.topology = profile.choice("topology", kTopologies);
  if (cluster.topology != Topology::kTorus) {
    if (profile.has("torus_columns")) {
      profile.fail("torus_columns", "only a torus has columns", "no such key, or topology = \"torus\"",
                   fmt::format("topology = \"{}\"", to_string(cluster.topology)));
    }
    return;
  }
  cluster.torus_columns = profile.integer("torus_columns", 1, cluster.card_count);
  if (cluster.card_count % cluster.torus_columns != 0) {
    profile.fail("torus_columns", "does not divide the cards",
                 fmt::format("a divisor of {}", cluster.card_count), std::to_string(cluster.torus_columns));
  }
}

void read_switch(const StrictTable& profile, Cluster& cluster) {
  if (cluster.topology != Topology::kStar) {
    profile.fail("switch", "only a star has a switch", "no such table, or topology = \"star\"",
                 fmt::format("topology = \"{}\"", to_string(cluster.topology)));
    return;
  }
  const StrictTable table = profile.table("switch");
  table.allow_only(kSwitchKeys);
  if (table.has("contention"))
    cluster.star_switch.contention = ranged_quantity(table, "contention", parse_share);
  read_price_and_power(table, cluster.star_switch, cluster.currency);
}

void read_card_override(const StrictTable& table, Cluster& cluster) {
  table.allow_only(kCardOverrideKeys);
  const CardId card = table.integer("card", 0, cluster.card_count - 1);
  if (!has_any(table, kCardKeys)) {
    table.fail("card", "overrides nothing", fmt::format("one of {}", fmt::join(kCardKeys, ", ")));
  }
  CardSpec spec = cluster.card;
  read_card(table, spec, cluster.currency);
  if (!cluster.card_overrides.emplace(card, std::move(spec)).second) {
    table.fail("card", "overridden twice", "one [[card_override]] for each card", std::to_string(card));
  }
}

CardId read_end(const StrictTable& table, std::string_view key, const Cluster& cluster) {
  if (cluster.topology == Topology::kStar && table.is_string(key)) {
    if (table.text(key) != "switch")
      table.fail(key, "unknown end", "a card's number or \"switch\"", table.text(key));
    return cluster.card_count;
  }
  return table.integer(key, 0, cluster.card_count - 1);
}

void read_link_override(const StrictTable& table, const Network& network, Cluster& cluster) {
  constexpr std::array<std::string_view, 3> kValues = {"bandwidth", "latency", "state"};
  table.allow_only(kLinkOverrideKeys);
  const CardId from = read_end(table, "from", cluster);
  const CardId to = read_end(table, "to", cluster);
  const auto link = network.find_link(from, to);
  if (!link) {
    table.fail("to", "no such cable",
               fmt::format("two ends of a cable of the {}", to_string(cluster.topology)),
               fmt::format("{} and {}", network.node_name(from), network.node_name(to)));
    return;
  }
  if (!has_any(table, kValues)) {
    table.fail("from", "overrides nothing", fmt::format("one of {}", fmt::join(kValues, ", ")));
  }
  LinkSpec spec = cluster.link;
  if (table.has("bandwidth")) spec.bandwidth = ranged_quantity(table, "bandwidth", parse_bandwidth);
  if (table.has("latency")) spec.latency = ranged_quantity(table, "latency", parse_duration);
  if (table.has("state")) spec.state = table.choice("state", kLinkStates);

  const bool one_way = table.has("one_way") && table.flag("one_way");
  bool first = cluster.link_overrides.emplace(std::pair(from, to), spec).second;
  if (!one_way) first = cluster.link_overrides.emplace(std::pair(to, from), spec).second && first;
  if (!first) {
    table.fail("to", "overridden twice", "one [[link_override]] for each direction of a cable",
               network.link_name(*link));
  }
}

Cluster read_profile(const StrictTable& profile) {
  Cluster cluster;
  profile.allow_only(kProfileKeys);
  cluster.name = profile.text("name");
  if (cluster.name.empty()) profile.fail("name", "empty", "a name");
  if (profile.has("description")) cluster.description = profile.text("description");
  cluster.card_count = profile.integer("cards", 1, kMaxCards);
  read_topology(profile, cluster);
  cluster.card = read_card_defaults(profile.table("card"), cluster.currency);
  if (profile.has("link") || cluster.card_count > 1) cluster.link = read_link(profile.table("link"));
  cluster.host_link = read_host_link(profile.table("host_link"));
  if (profile.has("switch")) read_switch(profile, cluster);
  return cluster;
}

void read_overrides(const StrictTable& profile, Cluster& cluster) {
  for (const StrictTable& table : profile.tables("card_override")) read_card_override(table, cluster);
  const Network network(cluster);
  for (const StrictTable& table : profile.tables("link_override"))
    read_link_override(table, network, cluster);
}

}  // namespace

Result<Cluster> parse_profile(std::string_view toml, std::string_view where) {
  const auto root = parse_toml(toml, where);
  if (!root) return tl::unexpected(root.error());
  FirstFault fault;
  const StrictTable profile(*root, where, "", fault);
  profile.expect_schema(kSchema);
  if (fault.error()) return tl::unexpected(*fault.error());
  Cluster cluster = read_profile(profile);
  // The overrides rely on a sound card count and topology.
  if (!fault.error()) read_overrides(profile, cluster);
  if (fault.error()) return tl::unexpected(*fault.error());
  cluster.warnings = profile_warnings(cluster);
  return cluster;
}

}  // namespace spanker
