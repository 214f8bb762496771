#include "spanker/report/cluster_report.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "spanker/cluster/profile.hpp"
#include "spanker/report/json_keys_for_test.hpp"

namespace spanker {
namespace {

using testing::expect_clean_text;
using testing::expect_keys;
using testing::kHostile;
using testing::parse_document;

Cluster sails() {
  auto cluster = load_cluster("sails-rev-a");
  if (!cluster) throw std::runtime_error(to_line(cluster.error()));
  return *cluster;
}

void expect_ranged(const nlohmann::json& json, double value, double low, double high) {
  EXPECT_DOUBLE_EQ(json.at("value"), value);
  EXPECT_DOUBLE_EQ(json.at("low"), low);
  EXPECT_DOUBLE_EQ(json.at("high"), high);
  EXPECT_TRUE(json.at("source").is_string());
}

TEST(ClusterJson, HasEveryNumberItsRangeAndItsSource) {
  const auto json = parse_document(to_json(sails()));
  EXPECT_EQ(json["schema"], "spanker.profile/1");
  EXPECT_EQ(json["name"], "sails-rev-a");
  EXPECT_EQ(json["cards"], 4);
  EXPECT_EQ(json["topology"], "ring");
  EXPECT_TRUE(json.at("torus_columns").is_null());
  expect_ranged(json["card"]["memory_bandwidth_bytes_per_second"], 2e9, 1.5e9, 2.4e9);
  expect_ranged(json["card"]["memory_capacity_bytes"], 0x1p32, 0x1p32, 0x1p32);
  expect_ranged(json["card"]["step_overhead_seconds"], 0, 0, 0);
  expect_ranged(json["card"]["token_overhead_seconds"], 0, 0, 0);
  EXPECT_TRUE(json["card"].at("compute_ops_per_second").is_null());
  expect_ranged(json["link"]["bandwidth_bytes_per_second"], 5e8, 5e8, 5e8);
  expect_ranged(json["link"]["latency_seconds"], 1e-6, 0.5e-6, 5e-6);
  EXPECT_EQ(json["link"]["state"], "up");
  expect_ranged(json["host_link"]["bandwidth_bytes_per_second"], 1e8, 8e7, 1.25e8);
  EXPECT_EQ(json["host_link"]["shared"], true);
  EXPECT_EQ(json["link"]["latency_seconds"]["source"], "assumed");
  expect_keys(json, {{"/description", "string"},
                     {"/card_overrides", "array"},
                     {"/link_overrides", "array"},
                     {"/warnings", "array"}});
}

TEST(ClusterJson, HasTheOverrides) {
  Cluster cluster = sails();
  cluster.topology = Topology::kStar;
  cluster.card.compute =
      Ranged<OpsPerSecond>{OpsPerSecond(2e10), OpsPerSecond(1e10), OpsPerSecond(3e10), "made up"};
  cluster.card_overrides[2] = cluster.card;
  cluster.card_overrides[2].memory_bandwidth.value = BytesPerSecond(1.75e9);
  cluster.link_overrides[{1, 4}] = cluster.link;
  cluster.link_overrides[{1, 4}].state = LinkState::kDown;
  const auto json = parse_document(to_json(cluster));
  expect_ranged(json["card"]["compute_ops_per_second"], 2e10, 1e10, 3e10);
  ASSERT_EQ(json["card_overrides"].size(), 1u);
  EXPECT_EQ(json["card_overrides"][0]["card"], 2);
  expect_ranged(json["card_overrides"][0]["memory_bandwidth_bytes_per_second"], 1.75e9, 1.5e9, 2.4e9);
  ASSERT_EQ(json["link_overrides"].size(), 1u);
  EXPECT_EQ(json["link_overrides"][0]["from"], 1);
  EXPECT_EQ(json["link_overrides"][0]["to"], "switch");
  EXPECT_EQ(json["link_overrides"][0]["state"], "down");

  const std::string text = to_text(cluster, {});
  expect_clean_text(text);
  for (const char* wanted : {"card 2 memory bandwidth", "1.75 GB/s", "link 1->switch", "down", "20 Gop/s"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in\n" << text;
  }
}

TEST(ClusterJson, HasPricesAndPowersWhereTheyAreKnown) {
  const auto without = parse_document(to_json(sails()));
  expect_keys(
      without,
      {{"/currency", "null"}, {"/card/price", "null"}, {"/card/power_watts", "null"}, {"/switch", "null"}});

  Cluster cluster = sails();
  cluster.topology = Topology::kStar;
  expect_keys(parse_document(to_json(cluster)), {{"/switch/price", "null"}, {"/switch/power_watts", "null"}});
  cluster.currency = "EUR";
  cluster.card.price = Ranged<Money>{Money(89.5), Money(80), Money(99), "a shop"};
  cluster.card.power = Ranged<Watts>{Watts(12), Watts(10), Watts(15), "a meter"};
  cluster.star_switch.price = Ranged<Money>{Money(25), Money(25), Money(25), "another shop"};
  cluster.star_switch.power = Ranged<Watts>{Watts(0.5), Watts(0.5), Watts(0.5), ""};
  cluster.card_overrides[2] = cluster.card;
  cluster.card_overrides[2].price->high = Money(120);
  const auto json = parse_document(to_json(cluster));
  EXPECT_EQ(json["currency"], "EUR");
  expect_ranged(json["card"]["price"], 89.5, 80, 99);
  expect_ranged(json["card"]["power_watts"], 12, 10, 15);
  EXPECT_EQ(json["card"]["price"]["source"], "a shop");
  expect_ranged(json["switch"]["price"], 25, 25, 25);
  expect_ranged(json["switch"]["power_watts"], 0.5, 0.5, 0.5);
  expect_ranged(json["card_overrides"][0]["price"], 89.5, 80, 120);

  const std::string text = to_text(cluster, {});
  expect_clean_text(text);
  for (const char* wanted : {"card price", "89.50 EUR", "80 EUR to 99 EUR", "card power", "10 W to 15 W",
                             "switch price", "25 EUR", "switch power", "500 mW", "80 EUR to 120 EUR"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in\n" << text;
  }
  EXPECT_EQ(to_text(sails(), {}).find("price"), std::string::npos);
}

TEST(ClusterJson, OfOneCardHasNoLink) {
  Cluster cluster = sails();
  cluster.card_count = 1;
  EXPECT_TRUE(parse_document(to_json(cluster)).at("link").is_null());
  EXPECT_NE(to_text(cluster, {}).find(": 1 card, ring\n"), std::string::npos);
}

TEST(ClusterJson, OfATorusHasItsColumns) {
  Cluster cluster = sails();
  cluster.topology = Topology::kTorus;
  cluster.torus_columns = 2;
  EXPECT_EQ(parse_document(to_json(cluster))["torus_columns"], 2);
  EXPECT_NE(to_text(cluster, {}).find("torus of 2 columns"), std::string::npos);
}

TEST(ClusterText, TellsValuesRangesAndSources) {
  Cluster cluster = sails();
  cluster.warnings = {"a warning"};
  cluster.host_link.latency.source.clear();
  const std::string text = to_text(cluster, {});
  expect_clean_text(text);
  for (const char* wanted : {"sails-rev-a: 4 cards, ring", "2 GB/s", "1.5 GB/s to 2.4 GB/s", "4 GiB",
                             "host link (shared) bandwidth", "no source given", "a warning"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in\n" << text;
  }
}

TEST(ClusterList, HasALineForEach) {
  Cluster other = sails();
  other.name = "other";
  other.card_count = 7;
  const std::vector<Cluster> clusters = {sails(), other};
  const auto json = parse_document(list_to_json(clusters));
  ASSERT_EQ(json["profiles"].size(), 2u);
  EXPECT_EQ(json["profiles"][1]["name"], "other");
  EXPECT_EQ(json["profiles"][1]["cards"], 7);
  EXPECT_EQ(json["profiles"][1]["topology"], "ring");
  EXPECT_TRUE(json["profiles"][1]["description"].is_string());

  const std::string text = list_to_text(clusters, {});
  expect_clean_text(text);
  EXPECT_NE(text.find("  sails-rev-a      4"), std::string::npos) << text;
  EXPECT_NE(text.find("  other            7"), std::string::npos) << text;
}

TEST(ClusterReport, HostileTextsBreakNothing) {
  Cluster cluster = sails();
  cluster.name = kHostile;
  cluster.description = kHostile;
  cluster.card.memory_bandwidth.source = kHostile;
  cluster.warnings = {std::string(kHostile)};
  const std::vector<Cluster> clusters = {cluster};
  const std::string name = parse_document(to_json(cluster))["name"];
  EXPECT_TRUE(name.starts_with("a\x1b[31m\n")) << name;
  EXPECT_EQ(parse_document(list_to_json(clusters))["profiles"][0]["description"], name);
  expect_clean_text(to_text(cluster, {}));
  expect_clean_text(list_to_text(clusters, {}));
}

}  // namespace
}  // namespace spanker
