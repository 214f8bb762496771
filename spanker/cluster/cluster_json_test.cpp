#include "spanker/cluster/cluster_json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "spanker/cluster/profile.hpp"
#include "spanker/cluster/profile_for_test.hpp"

namespace spanker {
namespace {

using testing::read;
using testing::sound;
using Json = nlohmann::json;

/// A star with everything that a profile can say.
Cluster rich() {
  return read(R"(schema = "spanker.cluster/1"
name = "rich"
description = "all of it"
cards = 4
topology = "star"
[card]
memory_bandwidth = { value = "2.0 GB/s", low = "1.5 GB/s", high = "2.4 GB/s", source = "a bench" }
memory_capacity = "4 GiB"
compute = { value = "20 Gop/s", low = "0.1 Gop/s", high = "30 Gop/s", source = "a guess" }
step_overhead = "5 us"
token_overhead = "0.1 ms"
serial_share = { value = "13.5 %", low = "5 %", high = "30 %", source = "a fit" }
serial_layer = "113.8 MB"
wait_share = "5 %"
price = { value = "89.99 EUR", low = "80 EUR", high = "99 EUR", source = "a shop" }
power = "12 W"
[link]
lanes = 4
lane_rate = "1.25 Gb/s"
coding = "64b/66b"
latency = { value = "0.3 us", low = "0.1 us", high = "0.7 us", source = "assumed" }
[host_link]
bandwidth = "100 MB/s"
latency = "50 us"
shared = false
[switch]
contention = "10 %"
price = "25 EUR"
power = "0.5 W"
[[card_override]]
card = 2
memory_bandwidth = "1.75 GB/s"
[[link_override]]
from = 1
to = "switch"
bandwidth = "33 MB/s"
state = "training"
one_way = true
)");
}

/// The fault of reading it, or "none".
std::string fault_of(const Json& built) {
  const Json json = Json::parse(built.dump());  // in which no whole number is signed
  FirstFault fault;
  read_cluster(StrictObject(json, "f.json", "cluster", fault));
  return fault.error() ? to_line(*fault.error()) : "none";
}

void expect_start(const std::string& line, const std::string& start) {
  EXPECT_EQ(line.substr(0, start.size()), start);
}

Cluster reread(const Cluster& cluster) {
  const Json json = Json::parse(cluster_json(cluster).dump());
  FirstFault fault;
  Cluster read = read_cluster(StrictObject(json, "f.json", "", fault));
  EXPECT_FALSE(fault.error()) << to_line(*fault.error());
  return read;
}

void expect_same(const Cluster& a, const Cluster& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.description, b.description);
  EXPECT_EQ(a.card_count, b.card_count);
  EXPECT_EQ(a.topology, b.topology);
  EXPECT_EQ(a.torus_columns, b.torus_columns);
  EXPECT_EQ(a.card, b.card);
  EXPECT_EQ(a.link, b.link);
  EXPECT_EQ(a.host_link, b.host_link);
  EXPECT_EQ(a.star_switch, b.star_switch);
  EXPECT_EQ(a.currency, b.currency);
  EXPECT_EQ(a.card_overrides, b.card_overrides);
  EXPECT_EQ(a.link_overrides, b.link_overrides);
  EXPECT_EQ(a.warnings, b.warnings);
}

TEST(ClusterJsonFile, EveryBuiltinProfileComesBack) {
  for (const BuiltinProfile& profile : builtin_profiles()) {
    SCOPED_TRACE(profile.name);
    const Cluster cluster = read(std::string(profile.toml));
    expect_same(reread(cluster), cluster);
  }
}

TEST(ClusterJsonFile, AllThatAProfileCanSayComesBack) {
  expect_same(reread(rich()), rich());
  EXPECT_EQ(rich().link_overrides.size(), 1u);
}

TEST(ClusterJsonFile, ATorusAndOneCardWithoutALink) {
  const Cluster torus = read(testing::with("topology = \"ring\"", "topology = \"torus\"\ntorus_columns = 2"));
  expect_same(reread(torus), torus);
  EXPECT_EQ(torus.torus_columns, 2u);
  Cluster alone = read(sound());
  alone.card_count = 1;
  alone.link = {};
  EXPECT_TRUE(cluster_json(alone)["link"].is_null());
  expect_same(reread(alone), alone);
  const auto one_of_many = with_card_count(read(sound()), 1);
  expect_same(reread(*one_of_many), *one_of_many);
}

TEST(ClusterJsonFile, RefusesWhatNoProfileCouldSay) {
  const Json whole = Json::parse(cluster_json(rich()).dump());
  ASSERT_EQ(fault_of(whole), "none");
  const auto with = [&](const std::string& pointer, const Json& value) {
    Json json = whole;
    json[Json::json_pointer(pointer)] = value;
    return fault_of(json);
  };
  const std::string at = "f.json: cluster.";
  EXPECT_EQ(with("/name", ""), at + "name: empty, wanted a name");
  EXPECT_EQ(with("/nam", ""), at + "nam: unknown key, did you mean name?");
  EXPECT_EQ(with("/cards", 0), at + "cards: out of range, wanted a whole number from 1 to 65536, got 0");
  EXPECT_EQ(with("/cards", 65537),
            at + "cards: out of range, wanted a whole number from 1 to 65536, got 65537");
  EXPECT_EQ(with("/topology", "mesh"),
            at + "topology: unknown, wanted one of ring, line, full_mesh, star, torus, got \"mesh\"");
  EXPECT_EQ(with("/topology", "torus"),
            at + "torus_columns: wrong type, wanted a whole number from 1 to 4, got null");
  EXPECT_EQ(with("/torus_columns", 2), at + "torus_columns: only a torus has columns, wanted null, got 2");
  expect_start(with("/topology", "ring"), at + "switch: only a star has a switch, wanted null");
  EXPECT_EQ(with("/switch", nullptr), at + "switch: wrong type, wanted an object, got null");
  EXPECT_EQ(with("/switch/prize", nullptr), at + "switch.prize: unknown key, did you mean price?");
  EXPECT_EQ(with("/link", nullptr), at + "link: several cards need a link, wanted an object, got null");
  EXPECT_EQ(with("/link/lanes", 4),
            at + "link.lanes: unknown key, wanted one of bandwidth_bytes_per_second, latency_seconds, state");
  EXPECT_EQ(with("/link/state", "off"),
            at + "link.state: unknown, wanted one of up, down, training, error, got \"off\"");
  EXPECT_EQ(with("/link/bandwidth_bytes_per_second", 5e8),
            at + "link.bandwidth_bytes_per_second: wrong type, wanted an object, got 500000000.0");
  EXPECT_EQ(with("/link/bandwidth_bytes_per_second/value", 0),
            at + "link.bandwidth_bytes_per_second.value: out of range, wanted a number above 0, got 0");
  EXPECT_EQ(with("/link/latency_seconds/low", -1),
            at + "link.latency_seconds.low: out of range, wanted a number, 0 or more, got -1");
  EXPECT_EQ(with("/link/latency_seconds/source", nullptr),
            at + "link.latency_seconds.source: wrong type, wanted text, got null");
  EXPECT_EQ(with("/link/latency_seconds/range", 1),
            at + "link.latency_seconds.range: unknown key, wanted one of value, low, high, source");
  EXPECT_EQ(with("/card/memory_bandwidth_bytes_per_second/value", 3e9),
            at + "card.memory_bandwidth_bytes_per_second: value outside its own range, wanted low <= value "
                 "<= high, got low 1500000000, value 3000000000, high 2400000000");
  EXPECT_EQ(with("/card/memory_capacity_bytes/value", 0),
            at + "card.memory_capacity_bytes.value: out of range, wanted a whole number from 1 to "
                 "9223372036854775807, got 0");
  EXPECT_EQ(with("/card/memory_capacity_bytes/value", 4.5),
            at + "card.memory_capacity_bytes.value: wrong type, wanted a whole number from 1 to "
                 "9223372036854775807, got 4.5");
  EXPECT_EQ(with("/card/compute_ops_per_second", 1),
            at + "card.compute_ops_per_second: wrong type, wanted an object, got 1");
  expect_start(with("/card/speed", 1), at + "card.speed: unknown key, ");
  EXPECT_EQ(with("/host_link/shared", 1), at + "host_link.shared: wrong type, wanted true or false, got 1");
  expect_start(with("/host_link/state", "up"), at + "host_link.state: unknown key, ");
  EXPECT_EQ(with("/currency", nullptr),
            at + "card.price: price without a currency, wanted null, or a currency of the cluster");
  EXPECT_EQ(with("/currency", "euro"),
            at + "currency: no currency, wanted three capital letters or null, got euro");
  EXPECT_EQ(with("/card_overrides/0/card", 4),
            at + "card_overrides[0].card: out of range, wanted a whole number from 0 to 3, got 4");
  EXPECT_EQ(with("/card_overrides/1", whole["card_overrides"][0]),
            at + "card_overrides[1].card: overridden twice, wanted one override for each card, got 2");
  EXPECT_EQ(with("/link_overrides/0/to", 2),
            at + "link_overrides[0].to: no such cable, wanted two ends of a cable of the star, got 1 and 2");
  EXPECT_EQ(with("/link_overrides/0/to", "hub"),
            at + "link_overrides[0].to: unknown end, wanted a card's number or \"switch\", got hub");
  EXPECT_EQ(with("/link_overrides/1", whole["link_overrides"][0]),
            at + "link_overrides[1].to: overridden twice, wanted one override for each direction of a cable, "
                 "got 1->switch");
  EXPECT_EQ(with("/link_overrides", Json::object()),
            at + "link_overrides: wrong type, wanted an array of objects, got {}");
}

TEST(ClusterJsonFile, ATorusMustBeFilled) {
  Json json = Json::parse(
      cluster_json(read(testing::with("topology = \"ring\"", "topology = \"torus\"\ntorus_columns = 2")))
          .dump());
  json["torus_columns"] = 3;
  EXPECT_EQ(fault_of(json),
            "f.json: cluster.torus_columns: does not divide the cards, wanted a divisor of 4, got 3");
}

/// Every key must be there, wherever it stands, but those that older files lack.
void expect_each_key_missed(Json& whole, Json& part, const std::string& path) {
  if (part.is_array()) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      expect_each_key_missed(whole, part[i], path + "[" + std::to_string(i) + "]");
    }
  }
  if (!part.is_object()) return;
  std::vector<std::string> keys;
  for (const auto& [key, value] : part.items()) keys.push_back(key);
  for (const std::string& key : keys) {
    Json value = part[key];
    expect_each_key_missed(whole, part[key], path + "." + key);
    part.erase(key);
    if (key == "serial_share" || key == "serial_layer_bytes" || key == "wait_share" || key == "contention") {
      EXPECT_EQ(fault_of(whole), "none");
    } else {
      expect_start(fault_of(whole), "f.json: " + path + "." + key + ": missing");
    }
    part[key] = value;
  }
}

TEST(ClusterJsonFile, EveryKeyIsMissed) {
  Json json = Json::parse(cluster_json(rich()).dump());
  expect_each_key_missed(json, json, "cluster");
}

}  // namespace
}  // namespace spanker
