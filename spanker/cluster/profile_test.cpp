#include "spanker/cluster/profile.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

#include "spanker/base/text.hpp"
#include "spanker/cluster/profile_for_test.hpp"

namespace spanker {
namespace {

using testing::read;
using testing::refuse;
using testing::replaced;
using testing::sound;
using testing::with;

bool warns_of(const Cluster& cluster, std::string_view text) {
  return std::any_of(cluster.warnings.begin(), cluster.warnings.end(),
                     [&](const std::string& warning) { return warning.find(text) != std::string::npos; });
}

TEST(Profile, ReadsEveryValue) {
  const Cluster cluster = read(sound());
  EXPECT_EQ(cluster.name, "test");
  EXPECT_EQ(cluster.description, "");
  EXPECT_EQ(cluster.card_count, 4u);
  EXPECT_EQ(cluster.topology, Topology::kRing);
  EXPECT_EQ(cluster.card.memory_bandwidth, (Ranged<BytesPerSecond>{BytesPerSecond(2e9), BytesPerSecond(1.5e9),
                                                                   BytesPerSecond(2.4e9), "a bench"}));
  EXPECT_EQ(cluster.card.memory_capacity.value, Bytes(std::uint64_t{4} << 30));
  EXPECT_EQ(cluster.card.memory_capacity.low, cluster.card.memory_capacity.value)
      << "without a range it is the value";
  EXPECT_EQ(cluster.card.memory_capacity.high, cluster.card.memory_capacity.value);
  EXPECT_EQ(cluster.card.compute->value, OpsPerSecond(20e9));
  EXPECT_EQ(cluster.card.step_overhead.value, Seconds(0));
  EXPECT_EQ(cluster.card.token_overhead.value, Seconds(0));
  EXPECT_EQ(cluster.link.bandwidth.low, BytesPerSecond(100e6));
  EXPECT_EQ(cluster.link.state, LinkState::kUp);
  EXPECT_DOUBLE_EQ(cluster.link.latency.value.count(), 1e-6);
  EXPECT_EQ(cluster.host_link.latency.value, Seconds(0));
  EXPECT_TRUE(cluster.host_link.shared);
  EXPECT_TRUE(cluster.warnings.empty());
}

TEST(Profile, ReadsOptionalKeys) {
  const Cluster cluster =
      read(with("[link]",
                "step_overhead = \"5 us\"\ntoken_overhead = { value = \"2 ms\", high = \"3 ms\" }\n[link]") +
           "shared = false\n");
  EXPECT_DOUBLE_EQ(cluster.card.step_overhead.value.count(), 5e-6);
  EXPECT_DOUBLE_EQ(cluster.card.token_overhead.low.count(), 2e-3);
  EXPECT_DOUBLE_EQ(cluster.card.token_overhead.high.count(), 3e-3);
  EXPECT_FALSE(cluster.host_link.shared);
  EXPECT_EQ(read(with("cards", "description = \"d\"\ncards")).description, "d");
}

TEST(Profile, CodedLinkKeepsTheRangeAndSourceOfItsLanes) {
  const std::string coded = R"(lanes = 4
lane_rate = { value = "1.25 Gb/s", low = "1 Gb/s", source = "pins" }
coding = "8b/10b")";
  const Cluster cluster = read(with("bandwidth = { value = \"100 MB/s\", source = \"a bench\" }", coded));
  EXPECT_EQ(cluster.link.bandwidth, (Ranged<BytesPerSecond>{BytesPerSecond(500e6), BytesPerSecond(400e6),
                                                            BytesPerSecond(500e6), "pins"}));
}

TEST(Profile, LinkIsOptionalForOneCardOnly) {
  const std::string link =
      "[link]\nbandwidth = { value = \"100 MB/s\", source = \"a bench\" }\nlatency = \"1 us\"\n";
  const std::string alone = replaced(with(link, ""), "cards = 4", "cards = 1");
  EXPECT_EQ(read(alone).card_count, 1u);
  EXPECT_TRUE(read(alone).warnings.empty());
  refuse(with(link, ""), "x.toml: link", "missing");
}

TEST(Profile, EveryTopologyIsRead) {
  for (const std::string name : {"ring", "line", "full_mesh", "star"}) {
    EXPECT_EQ(to_string(read(with("\"ring\"", "\"" + name + "\"")).topology), name);
  }
  const Cluster torus = read(with("\"ring\"", "\"torus\"\ntorus_columns = 2"));
  EXPECT_EQ(torus.topology, Topology::kTorus);
  EXPECT_EQ(torus.torus_columns, 2u);
}

TEST(Profile, RefusesAnotherSchema) {
  refuse(with("spanker.cluster/1", "spanker.cluster/2"), "x.toml:1: schema",
         "wanted \"spanker.cluster/1\", got \"spanker.cluster/2\"");
  refuse(with("schema = \"spanker.cluster/1\"", ""), "x.toml: schema", "missing");
  refuse(with("\"spanker.cluster/1\"", "1"), "x.toml:1: schema", "wrong type");
  refuse("schema = \"spanker.cluster/2\"\nfuture = 1", "x.toml:1: schema", "unknown schema");
}

TEST(Profile, RefusesUnknownKeysEverywhere) {
  refuse("topolgy = 1\n" + sound(), "x.toml:1: topolgy", "unknown key, did you mean topology?");
  refuse(with("memory_capacity", "memory_capcity"), "x.toml:7: card.memory_capcity",
         "did you mean memory_capacity?");
  refuse(with("[link]", "colour = 3\n[link]"), "x.toml:9: card.colour",
         "unknown key, wanted one of memory_bandwidth");
  refuse(with("[link]", "[link]\nlatncy = 3"), "x.toml:10: link.latncy", "did you mean latency?");
  refuse(sound() + "sharde = true", "x.toml:15: host_link.sharde", "did you mean shared?");
  refuse(with("low =", "lo ="), "x.toml:6: card.memory_bandwidth.lo", "did you mean low?");
  refuse(sound() + "[[card_override]]\ncard = 0\nname = \"x\"", "x.toml:17: card_override[0].name",
         "unknown key");
  refuse(sound() + "[[link_override]]\nfrom = 0\nto = 1\nlanes = 2", "x.toml:18: link_override[0].lanes",
         "unknown key");
}

TEST(Profile, RefusesMissingKeys) {
  refuse(with("name = \"test\"", ""), "x.toml: name", "missing");
  refuse(with("cards = 4", ""), "x.toml: cards", "missing, wanted a whole number from 1 to 65536");
  refuse(with("topology = \"ring\"", ""), "x.toml: topology", "missing, wanted one of ring, line");
  refuse(with("memory_capacity = \"4 GiB\"", ""), "x.toml: card.memory_capacity", "missing");
  refuse(with("value = \"2.0 GB/s\", ", ""), "x.toml: card.memory_bandwidth.value", "missing");
  refuse(with("latency = \"1 us\"", ""), "x.toml: link.latency", "missing");
  refuse(with("latency = \"0 us\"", ""), "x.toml: host_link.latency", "missing");
  refuse(with("bandwidth = { value = \"10 MB/s\", source = \"a bench\" }", ""), "x.toml: host_link.bandwidth",
         "missing");
  refuse("schema = \"spanker.cluster/1\"\nname = \"n\"\ncards = 1\ntopology = \"ring\"", "x.toml: card",
         "missing");
  refuse(with("[link]", "serial_layer = \"1 MB\"\n[link]"),
         "x.toml:", "card.serial_layer: says nothing by itself");
  const std::string whole = sound();
  refuse(whole.substr(0, whole.find("[host_link]")), "x.toml: host_link", "missing");
  refuse(with("\"test\"", "\"\""), "x.toml:2: name", "empty");
}

TEST(Profile, RefusesWrongTypes) {
  refuse(with("name = \"test\"", "name = 1"), "x.toml:2: name", "wanted a string, got a bare number");
  refuse(with("name = \"test\"", "name = \"test\"\ndescription = []"), "x.toml:3: description",
         "got an array");
  refuse(with("cards = 4", "cards = \"4\""), "x.toml:3: cards", "got a string");
  refuse(with("cards = 4", "cards = 4.0"), "x.toml:3: cards", "got a fraction");
  refuse(with("cards = 4", "cards = 1979-05-27"), "x.toml:3: cards", "got a date or time");
  refuse(with("\"ring\"", "true"), "x.toml:4: topology", "got a boolean");
  refuse(sound() + "shared = 1", "x.toml:15: host_link.shared", "wanted true or false");
  refuse(with("source = \"a bench\"", "source = 1"), "x.toml:6: card.memory_bandwidth.source",
         "wanted a string");
  refuse(sound() + "[card_override]\ncard = 1", "x.toml:15: card_override",
         "tables, each headed [[card_override]], got a table");
  refuse("link_override = [1]\n" + sound(), "x.toml:1: link_override",
         "wrong type of element 0, wanted a table, got a bare number");
}

TEST(Profile, RefusesCardsThatAreNotATable) {
  refuse("schema = \"spanker.cluster/1\"\nname = \"n\"\ncards = 1\ntopology = \"ring\"\ncard = 3",
         "x.toml:5: card", "wanted a table, got a bare number");
}

TEST(Profile, RefusesWhatIsNotAQuantity) {
  for (const std::string_view bad : {"5", "2.5", "nan", "inf", "true", "[]", "1979-05-27"}) {
    refuse(with("\"4 GiB\"", bad), "x.toml:7: card.memory_capacity", "a string of a number and a unit");
  }
  for (const std::string_view bad :
       {"\"5\"", "\"\"", "\"5 s\"", "\"-5 GiB\"", "\"0 B\"", "\"nan GiB\"", "\"inf B\"", "\"0.5 B\"",
        "\"1e99 B\"", "\"5 GiB x\"", "\"5 gib\"", "\"1e400 B\""}) {
    refuse(with("\"4 GiB\"", bad), "x.toml:7: card.memory_capacity", "not a quantity");
  }
  refuse(with("\"1.5 GB/s\"", "1.5"), "x.toml:6: card.memory_bandwidth.low", "got a bare number");
  refuse(with("\"1.5 GB/s\"", "\"1.5 GiB\""), "x.toml:6: card.memory_bandwidth.low",
         "wanted a rate above zero");
  refuse(with("\"2.4 GB/s\"", "{}"), "x.toml:6: card.memory_bandwidth.high", "got a table");
  refuse(with("\"20 Gop/s\"", "\"0 op/s\""), "x.toml:8: card.compute", "an operation rate above zero");
  refuse(with("\"1 us\"", "\"-1 us\""), "x.toml:11: link.latency", "wanted a time");
  refuse(with("\"100 MB/s\"", "\"0 MB/s\""), "x.toml:10: link.bandwidth.value", "wanted a rate above zero");
  refuse(with("\"10 MB/s\"", "\"10 MB\""), "x.toml:13: host_link.bandwidth.value",
         "wanted a rate above zero");
}

TEST(Profile, RefusesAValueOutsideItsRange) {
  refuse(with("low = \"1.5 GB/s\"", "low = \"2.1 GB/s\""), "x.toml:6: card.memory_bandwidth",
         "value outside its own range, wanted low <= value <= high, got low 2.1 GB/s, value 2 GB/s, high 2.4 "
         "GB/s");
  refuse(with("high = \"2.4 GB/s\"", "high = \"1.9 GB/s\""), "x.toml:6: card.memory_bandwidth",
         "high 1.9 GB/s");
  refuse(with("\"1 us\"", "{ value = \"1 us\", low = \"5 us\", high = \"0.5 us\" }"),
         "x.toml:11: link.latency", "outside its own range");
  refuse(with("\"1 us\"", "{ value = \"1 us\", high = \"0.5 us\" }"), "x.toml:11: link.latency",
         "outside its own range");
}

TEST(Profile, RefusesCardCountsOutOfRange) {
  refuse(with("cards = 4", "cards = 0"), "x.toml:3: cards", "wanted a whole number from 1 to 65536, got 0");
  refuse(with("cards = 4", "cards = -1"), "x.toml:3: cards", "got -1");
  refuse(with("cards = 4", "cards = 65537"), "x.toml:3: cards", "got 65537");
  refuse(with("cards = 4", "cards = 4294967297"), "x.toml:3: cards", "got 4294967297");
  refuse(with("cards = 4", "cards = 9223372036854775807"), "x.toml:3: cards", "got 9223372036854775807");
  refuse(with("cards = 4", "cards = 9223372036854775808"), "x.toml:3", "not valid TOML");
  EXPECT_EQ(read(with("cards = 4", "cards = 65536")).card_count, kMaxCards);
}

TEST(Profile, RefusesTopologiesThatDoNotFit) {
  refuse(with("\"ring\"", "\"hypercube\""), "x.toml:4: topology",
         "wanted one of ring, line, full_mesh, star, torus, got \"hypercube\"");
  refuse(with("\"ring\"", "\"torus\""), "x.toml: torus_columns", "missing");
  refuse(with("\"ring\"", "\"torus\"\ntorus_columns = 3"), "x.toml:5: torus_columns",
         "wanted a divisor of 4, got 3");
  refuse(with("\"ring\"", "\"torus\"\ntorus_columns = 0"), "x.toml:5: torus_columns", "from 1 to 4, got 0");
  refuse(with("\"ring\"", "\"torus\"\ntorus_columns = 8"), "x.toml:5: torus_columns", "from 1 to 4, got 8");
  refuse(with("\"ring\"", "\"ring\"\ntorus_columns = 2"), "x.toml:5: torus_columns",
         "only a torus has columns");
}

TEST(Profile, RefusesLinksThatAreToldTwiceOrByHalf) {
  const std::string bandwidth = "bandwidth = { value = \"100 MB/s\", source = \"a bench\" }";
  constexpr std::string_view kEither = "either bandwidth, or lanes, lane_rate and coding";
  refuse(with(bandwidth, ""), "x.toml: link.bandwidth", kEither);
  refuse(with(bandwidth, bandwidth + "\nlanes = 4"), "x.toml:10: link.bandwidth", kEither);
  refuse(with(bandwidth, "lanes = 4\ncoding = \"8b/10b\""), "x.toml: link.lane_rate", "missing");
  refuse(with(bandwidth, "lanes = 4\nlane_rate = \"1 Gb/s\""), "x.toml: link.coding",
         "missing, wanted one of 8b/10b, 64b/66b");
  refuse(with(bandwidth, "lane_rate = \"1 Gb/s\"\ncoding = \"8b/10b\""), "x.toml: link.lanes", "missing");
  refuse(with(bandwidth, "lanes = 4\nlane_rate = \"1 Gb/s\"\ncoding = \"4b/5b\""), "x.toml:12: link.coding",
         "got \"4b/5b\"");
  refuse(with(bandwidth, "lanes = 0\nlane_rate = \"1 Gb/s\"\ncoding = \"8b/10b\""), "x.toml:10: link.lanes",
         "got 0");
}

TEST(CardOverride, ChangesOneCardAndKeepsTheRest) {
  const Cluster cluster = read(sound() + "[[card_override]]\ncard = 2\nmemory_bandwidth = \"1.5 GB/s\"\n");
  ASSERT_EQ(cluster.card_overrides.size(), 1u);
  const CardSpec& card = cluster.card_at(2);
  EXPECT_EQ(card.memory_bandwidth, (Ranged<BytesPerSecond>{BytesPerSecond(1.5e9), BytesPerSecond(1.5e9),
                                                           BytesPerSecond(1.5e9), ""}));
  EXPECT_EQ(card.memory_capacity, cluster.card.memory_capacity);
  EXPECT_EQ(card.compute, cluster.card.compute);
  EXPECT_EQ(cluster.card_at(1), cluster.card);
}

TEST(CardOverride, TakesRangesAndEveryKey) {
  const Cluster cluster = read(sound() + R"([[card_override]]
card = 3
memory_capacity = { value = "2 GiB", low = "1 GiB", source = "s" }
compute = "1 Gop/s"
step_overhead = "1 us"
token_overhead = "2 us"
)");
  const CardSpec& card = cluster.card_at(3);
  EXPECT_EQ(card.memory_capacity.low, Bytes(1 << 30));
  EXPECT_EQ(card.memory_capacity.source, "s");
  EXPECT_EQ(card.compute->value, OpsPerSecond(1e9));
  EXPECT_DOUBLE_EQ(card.step_overhead.value.count(), 1e-6);
  EXPECT_DOUBLE_EQ(card.token_overhead.value.count(), 2e-6);
  EXPECT_EQ(card.memory_bandwidth, cluster.card.memory_bandwidth);
}

TEST(CardOverride, RefusesWhatDoesNotFit) {
  const std::string head = sound() + "[[card_override]]\n";
  refuse(head + "card = 4\ncompute = \"1 Gop/s\"", "x.toml:16: card_override[0].card", "from 0 to 3, got 4");
  refuse(head + "card = -1\ncompute = \"1 Gop/s\"", "x.toml:16: card_override[0].card", "got -1");
  refuse(head + "compute = \"1 Gop/s\"", "x.toml: card_override[0].card", "missing");
  refuse(head + "card = 1", "x.toml:16: card_override[0].card",
         "overrides nothing, wanted one of memory_bandwidth");
  refuse(head + "card = 1\ncompute = 3", "x.toml:17: card_override[0].compute", "got a bare number");
  refuse(head + "card = 1\ncompute = \"1 Gop/s\"\n[[card_override]]\ncard = 1\ncompute = \"1 Gop/s\"",
         "x.toml:19: card_override[1].card", "overridden twice");
}

TEST(LinkOverride, AppliesToBothDirectionsUnlessOneWay) {
  const Cluster both = read(sound() + "[[link_override]]\nfrom = 0\nto = 1\nstate = \"down\"\n");
  ASSERT_EQ(both.link_overrides.size(), 2u);
  EXPECT_EQ(both.link_overrides.at({0, 1}).state, LinkState::kDown);
  EXPECT_EQ(both.link_overrides.at({1, 0}).state, LinkState::kDown);
  EXPECT_EQ(both.link_overrides.at({0, 1}).bandwidth, both.link.bandwidth);

  const Cluster one = read(sound() + R"([[link_override]]
from = 0
to = 3
one_way = true
bandwidth = { value = "50 MB/s", low = "40 MB/s" }
[[link_override]]
from = 3
to = 0
one_way = true
latency = "2 us"
state = "training"
)");
  ASSERT_EQ(one.link_overrides.size(), 2u);
  const LinkSpec& there = one.link_overrides.at({0, 3});
  const LinkSpec& back = one.link_overrides.at({3, 0});
  EXPECT_EQ(there.bandwidth.low, BytesPerSecond(40e6));
  EXPECT_EQ(there.latency, one.link.latency);
  EXPECT_EQ(there.state, LinkState::kUp);
  EXPECT_EQ(back.bandwidth, one.link.bandwidth);
  EXPECT_DOUBLE_EQ(back.latency.value.count(), 2e-6);
  EXPECT_EQ(back.state, LinkState::kTraining);
}

TEST(LinkOverride, NamesTheSwitchOfAStar) {
  const std::string star = with("\"ring\"", "\"star\"");
  const Cluster cluster = read(star + "[[link_override]]\nfrom = \"switch\"\nto = 2\nstate = \"error\"\n");
  EXPECT_EQ(cluster.link_overrides.at({4, 2}).state, LinkState::kError);
  EXPECT_EQ(cluster.link_overrides.at({2, 4}).state, LinkState::kError);
  refuse(star + "[[link_override]]\nfrom = 1\nto = 2\nstate = \"down\"", "x.toml:17: link_override[0].to",
         "no such cable, wanted two ends of a cable of the star, got 1 and 2");
  refuse(star + "[[link_override]]\nfrom = \"switch\"\nto = \"switch\"\nstate = \"down\"",
         "x.toml:17: link_override[0].to", "got switch and switch");
  refuse(star + "[[link_override]]\nfrom = \"hub\"\nto = 1\nstate = \"down\"",
         "x.toml:16: link_override[0].from", "wanted a card's number or \"switch\", got hub");
  refuse(star + "[[link_override]]\nfrom = 4\nto = 1\nstate = \"down\"", "x.toml:16: link_override[0].from",
         "from 0 to 3");
}

TEST(LinkOverride, RefusesWhatDoesNotFit) {
  const std::string head = sound() + "[[link_override]]\n";
  refuse(head + "from = 0\nto = 2\nstate = \"down\"", "x.toml:17: link_override[0].to",
         "no such cable, wanted two ends of a cable of the ring, got 0 and 2");
  refuse(head + "from = 1\nto = 1\nstate = \"down\"", "x.toml:17: link_override[0].to", "no such cable");
  refuse(head + "from = 0\nto = 4\nstate = \"down\"", "x.toml:17: link_override[0].to", "from 0 to 3, got 4");
  refuse(head + "from = \"switch\"\nto = 0\nstate = \"down\"", "x.toml:16: link_override[0].from",
         "got a string");
  refuse(head + "to = 0\nstate = \"down\"", "x.toml: link_override[0].from", "missing");
  refuse(head + "from = 0\nstate = \"down\"", "x.toml: link_override[0].to", "missing");
  refuse(head + "from = 0\nto = 1", "x.toml:16: link_override[0].from",
         "overrides nothing, wanted one of bandwidth, latency, state");
  refuse(head + "from = 0\nto = 1\nstate = \"off\"", "x.toml:18: link_override[0].state",
         "one of up, down, training, error");
  refuse(head + "from = 0\nto = 1\nstate = \"down\"\none_way = 1", "x.toml:19: link_override[0].one_way",
         "true or false");
  refuse(head + "from = 0\nto = 1\nbandwidth = 1", "x.toml:18: link_override[0].bandwidth",
         "got a bare number");
  const std::string twice =
      "from = 0\nto = 1\nstate = \"down\"\n[[link_override]]\nfrom = 1\nto = 0\nlatency = \"1 us\"\n";
  refuse(head + twice, "x.toml:21: link_override[1].to", "overridden twice");
  refuse(head + twice + "one_way = true", "x.toml:21: link_override[1].to", "overridden twice");
}

TEST(Profile, WarnsOfMemoryThatDoesNotOutrunTheLink) {
  EXPECT_FALSE(warns_of(read(with("100 MB/s", "500 MB/s")), "below"));
  EXPECT_TRUE(warns_of(read(with("100 MB/s", "501 MB/s")),
                       "card 0: memory bandwidth 2 GB/s is below 4 x link bandwidth 501 MB/s"));
  EXPECT_TRUE(warns_of(read(sound() + "[[card_override]]\ncard = 2\nmemory_bandwidth = \"0.3 GB/s\""),
                       "card 2: memory bandwidth 300 MB/s is below 4 x link bandwidth 100 MB/s"));
  EXPECT_TRUE(warns_of(read(sound() + "[[link_override]]\nfrom = 0\nto = 1\nbandwidth = \"1 GB/s\""),
                       "4 x link bandwidth 1 GB/s"));
  EXPECT_FALSE(warns_of(read(replaced(with("100 MB/s", "1 GB/s"), "cards = 4", "cards = 1")), "below"));
}

TEST(Profile, WarnsOfComputeThatIsNotModelled) {
  const std::string without = with("compute = \"20 Gop/s\"", "");
  EXPECT_TRUE(warns_of(read(without), "card.compute is absent"));
  EXPECT_TRUE(warns_of(read(without + "[[card_override]]\ncard = 0\ncompute = \"1 Gop/s\""),
                       "card.compute is absent"));
  const std::string alone = replaced(without, "cards = 4", "cards = 1");
  EXPECT_FALSE(
      warns_of(read(alone + "[[card_override]]\ncard = 0\ncompute = \"1 Gop/s\""), "card.compute is absent"));
}

TEST(Profile, WarnsOfThinSources) {
  const std::string bare = replaced(with("{ value = \"100 MB/s\", source = \"a bench\" }", "\"100 MB/s\""),
                                    "{ value = \"10 MB/s\", source = \"a bench\" }", "\"10 MB/s\"");
  const Cluster cluster = read(bare);
  ASSERT_EQ(cluster.warnings.size(), 1u);
  EXPECT_TRUE(warns_of(cluster, "thin sources: link.bandwidth, host_link.bandwidth without"));
  EXPECT_TRUE(
      warns_of(read(replaced(bare, "cards = 4", "cards = 1")), "thin sources: host_link.bandwidth without"));
  EXPECT_FALSE(warns_of(read(with(", source = \"a bench\" }", " }")), "thin")) << "a range is enough";
  EXPECT_TRUE(
      warns_of(read(with("low = \"1.5 GB/s\", high = \"2.4 GB/s\", source = \"a bench\"", "source = \"\"")),
               "thin sources: card.memory_bandwidth"));
}

TEST(Profile, LinksThatAreDownAreNoError) {
  std::string isolated = sound();
  for (const auto* ends : {"from = 0\nto = 1", "from = 0\nto = 3"}) {
    isolated += std::string("[[link_override]]\n") + ends + "\nstate = \"down\"\n";
  }
  EXPECT_EQ(read(isolated).link_overrides.size(), 4u);
}

TEST(Profile, RefusesWhatIsNotToml) {
  refuse("", "x.toml: schema", "missing");
  refuse("schema", "x.toml:1", "not valid TOML");
  refuse(sound() + "cards = = 4", "x.toml:15", "not valid TOML");
  refuse(sound() + "[card]\n", "x.toml:15", "not valid TOML");
  refuse(sound() + "shared = true\nshared = true\n", "x.toml:16", "not valid TOML");
  refuse("schema = \"\xff\xfe\"", "x.toml:1", "not valid TOML");
  refuse(std::string("schema = \"a\0b\"", 14), "x.toml:1", "not valid TOML");
}

TEST(Profile, NeverFailsOtherThanByResultOnTruncatedFiles) {
  for (const BuiltinProfile& profile : builtin_profiles()) {
    const auto whole = parse_profile(profile.toml, "x.toml");
    for (std::size_t length = 0; length < profile.toml.size(); ++length) {
      const auto cluster = parse_profile(profile.toml.substr(0, length), "x.toml");
      if (cluster) {
        // Only what has a default may be missing: at the end stands `shared`, whose default is what is said.
        EXPECT_EQ(cluster->host_link, whole->host_link) << length;
      } else {
        EXPECT_EQ(cluster.error().kind, ErrorKind::kBadInput);
      }
    }
  }
}

RC_GTEST_PROP(ProfileProperty, DamagedFilesAreReadOrRefused, ()) {
  std::string toml = sound() + "[[link_override]]\nfrom = 0\nto = 1\nstate = \"down\"\n";
  const int changes = *rc::gen::inRange(1, 6);
  for (int i = 0; i < changes; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, toml.size());
    toml[at] = *rc::gen::oneOf(rc::gen::arbitrary<char>(), rc::gen::elementOf(std::string("=.[]{}\"'#\n0-")));
  }
  const auto cluster = parse_profile(toml, "x.toml");
  if (cluster) {
    RC_ASSERT(cluster->card_count >= 1u);
    RC_ASSERT(cluster->card_count <= kMaxCards);
    RC_ASSERT(cluster->card.memory_bandwidth.low <= cluster->card.memory_bandwidth.value);
    RC_ASSERT(cluster->card.memory_bandwidth.value <= cluster->card.memory_bandwidth.high);
  } else {
    RC_ASSERT(cluster.error().kind == ErrorKind::kBadInput);
    RC_ASSERT(is_valid_utf8(to_line(cluster.error())));
  }
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Profile, RefusesDeepNestingWithoutOverflow) {
  refuse("a = " + repeated("[", 200000), "x.toml:1", "not valid TOML");
  refuse("a = " + repeated("{a = ", 100000), "x.toml:1", "not valid TOML");
  refuse(repeated("a.", 300000) + "a = 1", "x.toml:1", "too many dots in one line, wanted at most 64");
  refuse("\n\n[" + repeated("a.", 300000) + "a]", "x.toml:3", "too many dots in one line");
  refuse("x = '''\n# not a comment\n'''\n\"#\"." + repeated("a.", 70) + "a = 1", "x.toml:4", "too many dots");
  // The deepest that passes the check: 64 dots a line, a level of values each.
  const std::string key = repeated("a.", 64) + "a";
  refuse(repeated(key + " = [{\n", 100) + repeated("}]", 100), "x.toml", "");
  EXPECT_EQ(read("# " + repeated(".", 500) + "\n" + sound()).card_count, 4u) << "a comment may hold any dots";
}

TEST(Profile, TakesHugeArraysAndManyKeysInStride) {
  refuse("a = [" + repeated("1,", 400000) + "]\n" + sound(), "x.toml:1: a", "unknown key");
  refuse(sound() + repeated("[[card_override]]\n", 50000), "x.toml: card_override[0].card", "missing");
  refuse("\"" + repeated("k", 500000) + "\" = 1\n" + sound(), "x.toml:1: kkk", "unknown key");
}

TEST(Profile, ErrorsAreOnePrintableLine) {
  const auto cluster = parse_profile("\"\\u001b[2J\\n\" = 1\n" + sound(), "x.toml");
  ASSERT_FALSE(cluster);
  const std::string line = to_line(cluster.error());
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace spanker
