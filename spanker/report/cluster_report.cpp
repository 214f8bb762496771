#include "spanker/report/cluster_report.hpp"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/cluster/cluster_json.hpp"
#include "spanker/report/json_values.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

std::string shown(Bytes bytes) { return format_binary(bytes); }
template <class T>
std::string shown(T quantity) {
  return format(quantity);
}

/// `unit` is what the number's type does not tell.
template <class T>
void add_row(Table& table, std::string name, const Ranged<T>& ranged, std::string_view unit = "") {
  const bool has_range = ranged.low != ranged.high;
  table.add({std::move(name), fmt::format("{}{}", shown(ranged.value), unit),
             has_range ? fmt::format("{}{} to {}{}", shown(ranged.low), unit, shown(ranged.high), unit) : "-",
             ranged.source.empty() ? "no source given" : ranged.source});
}

/// Of a card or of the switch.
template <class Spec>
void add_price_and_power(Table& table, const std::string& name, const Spec& spec, const Cluster& cluster) {
  if (spec.price) add_row(table, name + " price", *spec.price, " " + cluster.currency);
  if (spec.power) add_row(table, name + " power", *spec.power);
}

void add_card(Table& table, const std::string& name, const CardSpec& card, const Cluster& cluster) {
  add_row(table, name + " memory bandwidth", card.memory_bandwidth);
  add_row(table, name + " memory capacity", card.memory_capacity);
  if (card.compute) add_row(table, name + " compute", *card.compute);
  if (card.step_overhead.high.count() > 0) add_row(table, name + " step overhead", card.step_overhead);
  if (card.token_overhead.high.count() > 0) add_row(table, name + " token overhead", card.token_overhead);
  if (card.serial_share) add_row(table, name + " serial share", *card.serial_share);
  if (card.serial_layer)
    table.add(
        {name + " serial layer", format(*card.serial_layer), "-", "what the serial share was seen with"});
  if (card.wait_share) add_row(table, name + " wait share", *card.wait_share);
  add_price_and_power(table, name, card, cluster);
}

void add_link(Table& table, const std::string& name, const LinkSpec& link) {
  if (link.state != LinkState::kUp) table.add({name, std::string(to_string(link.state)), "-", ""});
  add_row(table, name + " bandwidth", link.bandwidth);
  add_row(table, name + " latency", link.latency);
}

std::string topology_text(const Cluster& cluster) {
  if (cluster.topology == Topology::kTorus) {
    return fmt::format("torus of {} columns", cluster.torus_columns);
  }
  return cluster.topology == Topology::kFullMesh ? "full mesh" : std::string(to_string(cluster.topology));
}

std::string node_name(const Cluster& cluster, CardId node) {
  return node == cluster.card_count ? "switch" : std::to_string(node);
}

}  // namespace

std::string list_to_json(std::span<const Cluster> clusters) {
  Json list = Json::array();
  for (const Cluster& cluster : clusters) {
    list.push_back({{"name", cluster.name},
                    {"cards", cluster.card_count},
                    {"topology", to_string(cluster.topology)},
                    {"description", cluster.description}});
  }
  return as_document({{"schema", "spanker.profiles/1"}, {"profiles", list}});
}

std::string list_to_text(std::span<const Cluster> clusters, const Style& style) {
  Table table({{"name", Align::kLeft},
               {"cards", Align::kRight},
               {"memory", Align::kRight},
               {"link", Align::kRight},
               {"host link", Align::kRight},
               {"description", Align::kLeft}});
  for (const Cluster& cluster : clusters) {
    table.add({cluster.name, std::to_string(cluster.card_count), format(cluster.card.memory_bandwidth.value),
               format(cluster.link.bandwidth.value), format(cluster.host_link.bandwidth.value),
               cluster.description});
  }
  return table.to_string(style);
}

std::string to_json(const Cluster& cluster) {
  Json json = {{"schema", "spanker.profile/1"}};
  json.update(cluster_json(cluster));
  if (cluster.card_count == 1) json["link"] = nullptr;
  json["warnings"] = cluster.warnings;
  return as_document(json);
}

std::string to_text(const Cluster& cluster, const Style& style) {
  std::string text = style.bold(escape_control(cluster.name)) +
                     fmt::format(": {} {}, {}\n", cluster.card_count,
                                 cluster.card_count == 1 ? "card" : "cards", topology_text(cluster));
  if (!cluster.description.empty()) text += escape_control(cluster.description) + "\n";
  text += "\n";
  Table table(
      {{"", Align::kLeft}, {"value", Align::kRight}, {"range", Align::kLeft}, {"source", Align::kLeft}});
  add_card(table, "card", cluster.card, cluster);
  if (cluster.card_count > 1) add_link(table, "link", cluster.link);
  add_row(table, cluster.host_link.shared ? "host link (shared) bandwidth" : "host link bandwidth",
          cluster.host_link.bandwidth);
  add_row(table, "host link latency", cluster.host_link.latency);
  if (cluster.star_switch.contention) add_row(table, "switch contention", *cluster.star_switch.contention);
  add_price_and_power(table, "switch", cluster.star_switch, cluster);
  for (const auto& [id, spec] : cluster.card_overrides)
    add_card(table, fmt::format("card {}", id), spec, cluster);
  for (const auto& [ends, spec] : cluster.link_overrides) {
    add_link(table,
             fmt::format("link {}->{}", node_name(cluster, ends.first), node_name(cluster, ends.second)),
             spec);
  }
  text += table.to_string(style);
  if (!cluster.warnings.empty()) text += "\n" + style.bold("Warnings") + "\n";
  for (const std::string& warning : cluster.warnings)
    text += "  " + style.warning(escape_control(warning)) + "\n";
  return text;
}

}  // namespace spanker
