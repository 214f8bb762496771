#include "spanker/cluster/cluster_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile_warnings.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kTopologies = {Topology::kRing, Topology::kLine, Topology::kFullMesh, Topology::kStar,
                                    Topology::kTorus};
constexpr std::array kLinkStates = {LinkState::kUp, LinkState::kDown, LinkState::kTraining,
                                    LinkState::kError};

constexpr std::array<std::string_view, 12> kClusterKeys = {
    "name", "description", "cards",     "topology", "torus_columns",  "currency",
    "card", "link",        "host_link", "switch",   "card_overrides", "link_overrides"};
constexpr std::array<std::string_view, 4> kRangedKeys = {"value", "low", "high", "source"};
constexpr std::array<std::string_view, 10> kCardKeys = {"memory_bandwidth_bytes_per_second",
                                                        "memory_capacity_bytes",
                                                        "compute_ops_per_second",
                                                        "step_overhead_seconds",
                                                        "token_overhead_seconds",
                                                        "serial_share",
                                                        "serial_layer_bytes",
                                                        "wait_share",
                                                        "price",
                                                        "power_watts"};
constexpr std::array<std::string_view, 3> kLinkKeys = {"bandwidth_bytes_per_second", "latency_seconds",
                                                       "state"};
constexpr std::array<std::string_view, 3> kHostLinkKeys = {"bandwidth_bytes_per_second", "latency_seconds",
                                                           "shared"};
constexpr std::array<std::string_view, 3> kSwitchKeys = {"contention", "price", "power_watts"};

template <std::size_t M, std::size_t N>
constexpr std::array<std::string_view, M + N> joined(const std::array<std::string_view, M>& first,
                                                     const std::array<std::string_view, N>& second) {
  std::array<std::string_view, M + N> all;
  std::copy(second.begin(), second.end(), std::copy(first.begin(), first.end(), all.begin()));
  return all;
}

constexpr auto kCardOverrideKeys = joined(std::array<std::string_view, 1>{"card"}, kCardKeys);
constexpr auto kLinkOverrideKeys = joined(std::array<std::string_view, 2>{"from", "to"}, kLinkKeys);

// ---- Writing

double plain(Seconds seconds) { return seconds.count(); }
template <class Unit, class Rep>
Rep plain(Quantity<Unit, Rep> quantity) {
  return quantity.value;
}

template <class T>
Json ranged_json(const Ranged<T>& ranged) {
  return {{"value", plain(ranged.value)},
          {"low", plain(ranged.low)},
          {"high", plain(ranged.high)},
          {"source", ranged.source}};
}

template <class T>
Json ranged_json(const std::optional<Ranged<T>>& ranged) {
  return ranged ? ranged_json(*ranged) : Json();
}

Json card_json(const CardSpec& card) {
  return {{"memory_bandwidth_bytes_per_second", ranged_json(card.memory_bandwidth)},
          {"memory_capacity_bytes", ranged_json(card.memory_capacity)},
          {"compute_ops_per_second", ranged_json(card.compute)},
          {"step_overhead_seconds", ranged_json(card.step_overhead)},
          {"token_overhead_seconds", ranged_json(card.token_overhead)},
          {"serial_share", ranged_json(card.serial_share)},
          {"serial_layer_bytes", card.serial_layer ? Json(card.serial_layer->value) : Json()},
          {"wait_share", ranged_json(card.wait_share)},
          {"price", ranged_json(card.price)},
          {"power_watts", ranged_json(card.power)}};
}

Json link_json(const LinkSpec& link) {
  return {{"bandwidth_bytes_per_second", ranged_json(link.bandwidth)},
          {"latency_seconds", ranged_json(link.latency)},
          {"state", to_string(link.state)}};
}

Json switch_json(const SwitchSpec& star_switch) {
  return {{"contention", ranged_json(star_switch.contention)},
          {"price", ranged_json(star_switch.price)},
          {"power_watts", ranged_json(star_switch.power)}};
}

// ---- Reading

template <class T>
T read_quantity(const StrictObject& object, std::string_view key) {
  if constexpr (std::is_same_v<T, Bytes>) {
    return Bytes(object.integer<std::uint64_t>(key, 1, INT64_MAX));
  } else if constexpr (std::is_same_v<T, Seconds>) {
    return Seconds(object.not_negative(key));
  } else if constexpr (std::is_same_v<T, Share>) {
    const double share = object.not_negative(key);
    if (share > 1) object.fail(key, "out of range", "0 to 1", fmt::format("{}", share));
    return Share(share);
  } else {
    return T(object.positive(key));
  }
}

template <class T>
Ranged<T> read_ranged(const StrictObject& parent, std::string_view key) {
  const StrictObject object = parent.object(key);
  object.allow_only(kRangedKeys);
  Ranged<T> ranged{read_quantity<T>(object, "value"), read_quantity<T>(object, "low"),
                   read_quantity<T>(object, "high"), object.text("source")};
  if (ranged.low > ranged.value || ranged.value > ranged.high) {
    parent.fail(
        key, "value outside its own range", "low <= value <= high",
        fmt::format("low {}, value {}, high {}", plain(ranged.low), plain(ranged.value), plain(ranged.high)));
  }
  return ranged;
}

template <class T>
void read_ranged_or_null(const StrictObject& parent, std::string_view key, std::optional<Ranged<T>>& ranged) {
  if (parent.object_or_null(key)) ranged = read_ranged<T>(parent, key);
}

/// Of a card or of the switch.
template <class Spec>
void read_price_and_power(const StrictObject& object, std::string_view currency, Spec& spec) {
  read_ranged_or_null(object, "price", spec.price);
  if (spec.price && currency.empty()) {
    object.fail("price", "price without a currency", "null, or a currency of the cluster");
  }
  read_ranged_or_null(object, "power_watts", spec.power);
}

CardSpec read_card(const StrictObject& object, std::string_view currency) {
  CardSpec spec;
  spec.memory_bandwidth = read_ranged<BytesPerSecond>(object, "memory_bandwidth_bytes_per_second");
  spec.memory_capacity = read_ranged<Bytes>(object, "memory_capacity_bytes");
  read_ranged_or_null(object, "compute_ops_per_second", spec.compute);
  spec.step_overhead = read_ranged<Seconds>(object, "step_overhead_seconds");
  spec.token_overhead = read_ranged<Seconds>(object, "token_overhead_seconds");
  // Files that were written before these keys lack them.
  if (object.has("serial_share")) read_ranged_or_null(object, "serial_share", spec.serial_share);
  if (object.has("serial_layer_bytes") && !object.is_null("serial_layer_bytes")) {
    spec.serial_layer = read_quantity<Bytes>(object, "serial_layer_bytes");
  }
  if (object.has("wait_share")) read_ranged_or_null(object, "wait_share", spec.wait_share);
  read_price_and_power(object, currency, spec);
  return spec;
}

LinkSpec read_link(const StrictObject& object) {
  LinkSpec spec;
  spec.bandwidth = read_ranged<BytesPerSecond>(object, "bandwidth_bytes_per_second");
  spec.latency = read_ranged<Seconds>(object, "latency_seconds");
  spec.state = object.choice<LinkState>("state", kLinkStates);
  return spec;
}

HostLinkSpec read_host_link(const StrictObject& object) {
  object.allow_only(kHostLinkKeys);
  HostLinkSpec spec;
  spec.bandwidth = read_ranged<BytesPerSecond>(object, "bandwidth_bytes_per_second");
  spec.latency = read_ranged<Seconds>(object, "latency_seconds");
  spec.shared = object.flag("shared");
  return spec;
}

std::string read_currency(const StrictObject& object) {
  if (object.is_null("currency")) return {};
  const std::string currency = object.text("currency");
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (currency.size() != 3 || !std::all_of(currency.begin(), currency.end(), is_capital)) {
    object.fail("currency", "no currency", "three capital letters or null", currency);
  }
  return currency;
}

void read_topology(const StrictObject& object, Cluster& cluster) {
  cluster.topology = object.choice<Topology>("topology", kTopologies);
  if (cluster.topology != Topology::kTorus) return object.null("torus_columns", "only a torus has columns");
  cluster.torus_columns = object.integer<std::uint32_t>("torus_columns", 1, cluster.card_count);
  if (cluster.card_count % cluster.torus_columns != 0) {
    object.fail("torus_columns", "does not divide the cards",
                fmt::format("a divisor of {}", cluster.card_count), std::to_string(cluster.torus_columns));
  }
}

void read_link_default(const StrictObject& object, Cluster& cluster) {
  const auto link = object.object_or_null("link");
  if (!link) {
    if (cluster.card_count > 1) object.fail("link", "several cards need a link", "an object", "null");
    return;
  }
  link->allow_only(kLinkKeys);
  cluster.link = read_link(*link);
}

void read_switch(const StrictObject& object, Cluster& cluster) {
  if (cluster.topology != Topology::kStar) return object.null("switch", "only a star has a switch");
  const StrictObject star_switch = object.object("switch");
  star_switch.allow_only(kSwitchKeys);
  if (star_switch.has("contention"))
    read_ranged_or_null(star_switch, "contention", cluster.star_switch.contention);
  read_price_and_power(star_switch, cluster.currency, cluster.star_switch);
}

void read_card_override(const StrictObject& object, Cluster& cluster) {
  object.allow_only(kCardOverrideKeys);
  const auto card = object.integer<CardId>("card", 0, cluster.card_count - 1);
  if (!cluster.card_overrides.emplace(card, read_card(object, cluster.currency)).second) {
    object.fail("card", "overridden twice", "one override for each card", std::to_string(card));
  }
}

CardId read_end(const StrictObject& object, std::string_view key, const Cluster& cluster) {
  if (cluster.topology == Topology::kStar && object.is_text(key)) {
    if (object.text(key) != "switch") {
      object.fail(key, "unknown end", "a card's number or \"switch\"", object.text(key));
    }
    return cluster.card_count;
  }
  return object.integer<CardId>(key, 0, cluster.card_count - 1);
}

void read_link_override(const StrictObject& object, const Network& network, Cluster& cluster) {
  object.allow_only(kLinkOverrideKeys);
  const CardId from = read_end(object, "from", cluster);
  const CardId to = read_end(object, "to", cluster);
  const auto link = network.find_link(from, to);
  if (!link) {
    object.fail("to", "no such cable",
                fmt::format("two ends of a cable of the {}", to_string(cluster.topology)),
                fmt::format("{} and {}", network.node_name(from), network.node_name(to)));
    return;
  }
  if (!cluster.link_overrides.emplace(std::pair(from, to), read_link(object)).second) {
    object.fail("to", "overridden twice", "one override for each direction of a cable",
                network.link_name(*link));
  }
}

}  // namespace

Json cluster_json(const Cluster& cluster) {
  const bool has_link = cluster.link.bandwidth.value.value > 0;
  Json card_overrides = Json::array();
  for (const auto& [id, spec] : cluster.card_overrides) {
    Json item = {{"card", id}};
    item.update(card_json(spec));
    card_overrides.push_back(item);
  }
  Json link_overrides = Json::array();
  for (const auto& [ends, spec] : cluster.link_overrides) {
    const auto node = [&](CardId id) { return id == cluster.card_count ? Json("switch") : Json(id); };
    Json item = {{"from", node(ends.first)}, {"to", node(ends.second)}};
    item.update(link_json(spec));
    link_overrides.push_back(item);
  }
  return {{"name", cluster.name},
          {"description", cluster.description},
          {"cards", cluster.card_count},
          {"topology", to_string(cluster.topology)},
          {"torus_columns", cluster.topology == Topology::kTorus ? Json(cluster.torus_columns) : Json()},
          {"currency", cluster.currency.empty() ? Json() : Json(cluster.currency)},
          {"card", card_json(cluster.card)},
          {"link", has_link ? link_json(cluster.link) : Json()},
          {"host_link",
           {{"bandwidth_bytes_per_second", ranged_json(cluster.host_link.bandwidth)},
            {"latency_seconds", ranged_json(cluster.host_link.latency)},
            {"shared", cluster.host_link.shared}}},
          {"switch", cluster.topology == Topology::kStar ? switch_json(cluster.star_switch) : Json()},
          {"card_overrides", card_overrides},
          {"link_overrides", link_overrides}};
}

Cluster read_cluster(const StrictObject& object) {
  object.allow_only(kClusterKeys);
  Cluster cluster;
  cluster.name = object.text("name");
  if (cluster.name.empty()) object.fail("name", "empty", "a name");
  cluster.description = object.text("description");
  cluster.card_count = object.integer<std::uint32_t>("cards", 1, kMaxCards);
  cluster.currency = read_currency(object);
  read_topology(object, cluster);
  const StrictObject card = object.object("card");
  card.allow_only(kCardKeys);
  cluster.card = read_card(card, cluster.currency);
  read_link_default(object, cluster);
  cluster.host_link = read_host_link(object.object("host_link"));
  read_switch(object, cluster);
  // The overrides rely on a sound card count and topology.
  if (!object.sound()) return cluster;
  for (const StrictObject& each : object.objects("card_overrides")) {
    if (!object.sound()) return cluster;
    read_card_override(each, cluster);
  }
  const Network network(cluster);
  for (const StrictObject& each : object.objects("link_overrides")) {
    if (!object.sound()) return cluster;
    read_link_override(each, network, cluster);
  }
  if (object.sound()) cluster.warnings = profile_warnings(cluster);
  return cluster;
}

}  // namespace spanker
