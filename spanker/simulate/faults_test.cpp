#include "spanker/simulate/faults.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "spanker/base/file.hpp"
#include "spanker/base/text.hpp"

namespace spanker {
namespace {

const std::string kHead = "schema = \"spanker.faults/1\"\n";

Cluster cluster_of(Topology topology, std::uint32_t cards = 4) {
  Cluster cluster;
  cluster.topology = topology;
  cluster.card_count = cards;
  if (topology == Topology::kTorus) cluster.torus_columns = 2;
  return cluster;
}

std::vector<Fault> read(const std::string& body, const Cluster& cluster = cluster_of(Topology::kRing)) {
  const auto faults = parse_faults(kHead + body, "x.toml", cluster);
  EXPECT_TRUE(faults) << to_line(faults.error());
  return faults.value_or(std::vector<Fault>{});
}

std::string fault_line(const std::string& toml, const Cluster& cluster = cluster_of(Topology::kRing)) {
  const auto faults = parse_faults(toml, "x.toml", cluster);
  if (faults) return "accepted";
  EXPECT_EQ(faults.error().kind, ErrorKind::kBadInput);
  return to_line(faults.error());
}

/// The error about one fault whose keys these are; its `at` is on line 3, they start on line 4.
std::string refused(const std::string& keys, const Cluster& cluster = cluster_of(Topology::kRing)) {
  return fault_line(kHead + "[[fault]]\nat = \"1 s\"\n" + keys, cluster);
}

std::string told(const std::string& keys, const Cluster& cluster = cluster_of(Topology::kRing)) {
  const auto faults = read("[[fault]]\nat = \"50 ms\"\n" + keys, cluster);
  return faults.size() == 1 ? to_string(faults[0], Network(cluster)) : "";
}

TEST(Faults, ReadsEveryKind) {
  const auto faults = read(R"(
[[fault]]
at = "50 ms"
link = [0, 1]
state = "down"
[[fault]]
at = "60 ms"
link = [2, 1]
one_way = true
slowdown = 4
[[fault]]
at = "70 ms"
link = [3, 0]
one_way = false
bandwidth = "100 MB/s"
[[fault]]
at = "80 ms"
card = 3
state = "lost"
[[fault]]
at = "90 ms"
card = 2
slowdown = 2.5
[[fault]]
at = "1 s"
host_link = true
slowdown = 10
[[fault]]
at = "2 s"
host_link = true
bandwidth = "8 Mb/s"
[[fault]]
at = "3 s"
card = 2
load = "600 MB"
)");
  ASSERT_EQ(faults.size(), 8u);
  EXPECT_DOUBLE_EQ(faults[0].at.count(), 0.05);
  EXPECT_EQ(std::get<LinkStateFault>(faults[0].what), (LinkStateFault{{0, 1, false}, LinkState::kDown}));
  EXPECT_EQ(std::get<LinkBandwidthFault>(faults[1].what),
            (LinkBandwidthFault{{2, 1, true}, {4, std::nullopt}}));
  EXPECT_EQ(std::get<LinkBandwidthFault>(faults[2].what),
            (LinkBandwidthFault{{3, 0, false}, {1, BytesPerSecond(100e6)}}));
  EXPECT_EQ(std::get<CardLostFault>(faults[3].what).card, 3u);
  EXPECT_EQ(std::get<CardSlowFault>(faults[4].what), (CardSlowFault{2, 2.5}));
  EXPECT_EQ(std::get<HostLinkFault>(faults[5].what).bandwidth.from(BytesPerSecond(100e6)).value, 10e6);
  EXPECT_EQ(std::get<HostLinkFault>(faults[6].what).bandwidth.from(BytesPerSecond(100e6)).value, 1e6);
  EXPECT_EQ(std::get<HostLoadFault>(faults[7].what), (HostLoadFault{2, Bytes(600'000'000)}));
}

TEST(Faults, TellsEveryKind) {
  EXPECT_EQ(told("link = [0, 1]\nstate = \"down\""), "link 0-1 down at 50 ms");
  EXPECT_EQ(told("link = [0, 1]\none_way = true\nstate = \"up\""), "link 0->1 up at 50 ms");
  EXPECT_EQ(told("link = [0, 1]\nslowdown = 4"), "link 0-1 slowed 4 times at 50 ms");
  EXPECT_EQ(told("link = [0, 1]\nslowdown = 1"), "link 0-1 at full speed at 50 ms");
  EXPECT_EQ(told("link = [0, 1]\nbandwidth = \"100 MB/s\""), "link 0-1 set to 100 MB/s at 50 ms");
  EXPECT_EQ(told("card = 3\nstate = \"lost\""), "card 3 lost at 50 ms");
  EXPECT_EQ(told("card = 3\nslowdown = 1.5"), "card 3 slowed 1.5 times at 50 ms");
  EXPECT_EQ(told("host_link = true\nslowdown = 10"), "host link slowed 10 times at 50 ms");
  EXPECT_EQ(told("card = 2\nload = \"600 MB\""), "loading 600 MB to card 2 at 50 ms");
  const Cluster star = cluster_of(Topology::kStar);
  EXPECT_EQ(told("link = [\"switch\", 3]\nstate = \"training\"", star), "link switch-3 training at 50 ms");
  EXPECT_EQ(told("link = [3, \"switch\"]\nstate = \"error\"", star), "link 3-switch error at 50 ms");
}

TEST(Faults, SortsByTimeAndKeepsTheFilesOrderWithinOne) {
  const auto faults = read(R"(fault = [
    { at = "1 s", card = 0, slowdown = 2 }, { at = "0 s", card = 1, slowdown = 2 },
    { at = "1000 ms", card = 2, slowdown = 2 }, { at = "0 ns", card = 3, slowdown = 2 }])");
  ASSERT_EQ(faults.size(), 4u);
  EXPECT_EQ(std::get<CardSlowFault>(faults[0].what).card, 1u);
  EXPECT_EQ(std::get<CardSlowFault>(faults[1].what).card, 3u);
  EXPECT_EQ(std::get<CardSlowFault>(faults[2].what).card, 0u);
  EXPECT_EQ(std::get<CardSlowFault>(faults[3].what).card, 2u);
  EXPECT_TRUE(read("").empty());
}

TEST(Faults, RefusesFilesOfAnotherKind) {
  EXPECT_EQ(fault_line(""), "x.toml: schema: missing, wanted \"spanker.faults/1\"");
  EXPECT_EQ(fault_line("schema = \"spanker.faults/2\"\nnew = 1"),
            "x.toml:1: schema: unknown schema, wanted \"spanker.faults/1\", got \"spanker.faults/2\"");
  EXPECT_EQ(fault_line(kHead + "[[faults]]"), "x.toml:2: faults: unknown key, did you mean fault?");
  EXPECT_EQ(fault_line(kHead + "[fault]"),
            "x.toml:2: fault: wrong type, wanted tables, each headed [[fault]], got a table");
  EXPECT_EQ(fault_line(kHead + "fault = [1]"),
            "x.toml:2: fault: wrong type of element 0, wanted a table, got a bare number");
  EXPECT_TRUE(fault_line(kHead + "[[fault]").starts_with("x.toml:2: not valid TOML"));
}

TEST(Faults, RefusesWrongTimes) {
  const auto at = [](const std::string& time) {
    return fault_line(kHead + "[[fault]]\nat = " + time + "\ncard = 0\nslowdown = 2");
  };
  EXPECT_EQ(
      at("\"-1 s\""),
      "x.toml:3: fault[0].at: not a quantity, wanted a time such as \"1 us\" or \"0.5 ms\", got \"-1 s\"");
  EXPECT_NE(at("\"inf s\"").find("fault[0].at: not a quantity"), std::string::npos);
  EXPECT_NE(at("\"1e400 s\"").find("fault[0].at: not a quantity"), std::string::npos);
  EXPECT_NE(at("5").find("fault[0].at: wrong type"), std::string::npos);
  EXPECT_EQ(at("\"1000001 s\""), "x.toml:3: fault[0].at: too late, wanted at most 1000000 s, got 1000001 s");
  EXPECT_EQ(at("\"1000000 s\""), "accepted");
  EXPECT_EQ(fault_line(kHead + "[[fault]]\ncard = 0\nslowdown = 2"),
            "x.toml: fault[0].at: missing, wanted a quantity: a string of a number and a unit");
}

TEST(Faults, RefusesUnknownKeys) {
  EXPECT_EQ(refused("card = 1\nslowdwn = 2"),
            "x.toml:5: fault[0].slowdwn: unknown key, did you mean slowdown?");
  EXPECT_EQ(refused("card = 1\nx = 2"),
            "x.toml:5: fault[0].x: unknown key, wanted one of at, link, card, host_link, one_way, state, "
            "slowdown, bandwidth, load");
}

TEST(Faults, RefusesNoneOrSeveralThings) {
  EXPECT_EQ(refused("slowdown = 2"),
            "x.toml:2: fault[0]: incomplete fault, wanted one of link, card, host_link");
  EXPECT_EQ(refused("card = 1"),
            "x.toml:2: fault[0]: incomplete fault, wanted one of state, slowdown, bandwidth, load");
  EXPECT_EQ(
      refused("link = [0, 1]\ncard = 1\nslowdown = 2"),
      "x.toml:5: fault[0].card: one too many in one fault, wanted one of link, card, host_link, got link "
      "and card");
  EXPECT_EQ(refused("link = [0, 1]\nstate = \"down\"\nbandwidth = \"1 B/s\""),
            "x.toml:6: fault[0].bandwidth: one too many in one fault, wanted one of state, slowdown, "
            "bandwidth, load, got state and bandwidth");
}

TEST(Faults, RefusesChangesThatTheThingCannotTake) {
  EXPECT_EQ(refused("link = [0, 1]\nload = \"1 B\""),
            "x.toml:5: fault[0].load: not a change of a link, wanted one of state, slowdown, bandwidth");
  EXPECT_EQ(refused("card = 0\nbandwidth = \"1 B/s\""),
            "x.toml:5: fault[0].bandwidth: not a change of a card, wanted one of state, slowdown, load");
  EXPECT_EQ(refused("host_link = true\nstate = \"down\""),
            "x.toml:5: fault[0].state: not a change of the host link, wanted one of slowdown, bandwidth");
  EXPECT_EQ(refused("host_link = false\nslowdown = 2"),
            "x.toml:4: fault[0].host_link: names no link, wanted true, or no such key, got false");
  EXPECT_EQ(refused("card = 0\none_way = true\nslowdown = 2"),
            "x.toml:5: fault[0].one_way: only a link has directions, wanted no such key, or link, got card");
}

TEST(Faults, RefusesWrongValues) {
  EXPECT_EQ(refused("link = [0, 1]\nstate = \"broken\""),
            "x.toml:5: fault[0].state: unknown, wanted one of down, training, error, up, got \"broken\"");
  EXPECT_EQ(refused("card = 0\nstate = \"down\""),
            "x.toml:5: fault[0].state: unknown, wanted \"lost\", got \"down\"");
  EXPECT_EQ(refused("card = 0\nstate = 1"),
            "x.toml:5: fault[0].state: wrong type, wanted \"lost\", got a bare number");
  for (const std::string target : {"card = 0", "link = [0, 1]", "host_link = true"}) {
    for (const std::string slowdown : {"0.5", "-2", "0", "nan", "inf", "1e10"}) {
      EXPECT_TRUE(refused(target + "\nslowdown = " + slowdown)
                      .starts_with("x.toml:5: fault[0].slowdown: out of range, wanted a number from 1 to "
                                   "1000000000, got "))
          << target << slowdown;
    }
    EXPECT_NE(refused(target + "\nslowdown = \"2\"").find("slowdown: wrong type"), std::string::npos);
  }
  for (const std::string target : {"link = [0, 1]", "host_link = true"}) {
    for (const std::string bandwidth : {"\"0 B/s\"", "\"-1 B/s\"", "\"1 B\"", "1"}) {
      EXPECT_TRUE(
          refused(target + "\nbandwidth = " + bandwidth).starts_with("x.toml:5: fault[0].bandwidth: "));
    }
  }
  EXPECT_TRUE(refused("card = 0\nload = \"0 B\"").starts_with("x.toml:5: fault[0].load: not a quantity"));
  EXPECT_EQ(refused("link = [0, 1]\none_way = 1\nslowdown = 2"),
            "x.toml:5: fault[0].one_way: wrong type, wanted true or false, got a bare number");
}

TEST(Faults, RefusesCardsAndCablesThatAreNotThere) {
  EXPECT_EQ(refused("card = 4\nslowdown = 2"),
            "x.toml:4: fault[0].card: out of range, wanted a whole number from 0 to 3, got 4");
  EXPECT_EQ(refused("link = [0, 2]\nstate = \"down\""),
            "x.toml:4: fault[0].link: no such cable, wanted two ends of a cable of the ring, got 0 and 2");
  EXPECT_EQ(refused("link = [0, 4]\nstate = \"down\""),
            "x.toml:4: fault[0].link: unknown end, wanted a card's number from 0 to 3, got 4");
  EXPECT_EQ(refused("link = [-1, 0]\nstate = \"down\""),
            "x.toml:4: fault[0].link: unknown end, wanted a card's number from 0 to 3, got -1");
  EXPECT_EQ(refused("link = [0, \"switch\"]\nstate = \"down\""),
            "x.toml:4: fault[0].link: unknown end, wanted a card's number from 0 to 3, got \"switch\"");
  EXPECT_EQ(refused("link = [0, 1.0]\nstate = \"down\""),
            "x.toml:4: fault[0].link: unknown end, wanted a card's number from 0 to 3, got a bare number");
  EXPECT_EQ(
      refused("link = [0, 1, 2]\nstate = \"down\""),
      "x.toml:4: fault[0].link: not two ends, wanted an array of two ends, a card's number from 0 to 3, got "
      "3");
  EXPECT_EQ(refused("link = \"0-1\"\nstate = \"down\""),
            "x.toml:4: fault[0].link: wrong type, wanted an array of two ends, a card's number from 0 to 3, "
            "got a string");
  const Cluster star = cluster_of(Topology::kStar);
  EXPECT_EQ(refused("link = [0, 1]\nstate = \"down\"", star),
            "x.toml:4: fault[0].link: no such cable, wanted two ends of a cable of the star, got 0 and 1");
  EXPECT_EQ(refused("link = [\"hub\", 1]\nstate = \"down\"", star),
            "x.toml:4: fault[0].link: unknown end, wanted a card's number from 0 to 3 or \"switch\", got "
            "\"hub\"");
  EXPECT_EQ(refused("link = [4, 1]\nstate = \"down\"", star),
            "x.toml:4: fault[0].link: unknown end, wanted a card's number from 0 to 3 or \"switch\", got 4");
  EXPECT_EQ(refused("link = [\"switch\", \"switch\"]\nstate = \"down\"", star),
            "x.toml:4: fault[0].link: no such cable, wanted two ends of a cable of the star, got switch and "
            "switch");
}

TEST(Faults, EveryCableOfEveryTopologyIsFound) {
  for (const Topology topology :
       {Topology::kRing, Topology::kLine, Topology::kFullMesh, Topology::kStar, Topology::kTorus}) {
    const Cluster cluster = cluster_of(topology, 6);
    const Network network(cluster);
    for (LinkId id = 0; id < network.link_count(); ++id) {
      const auto [from, to] = network.ends(id);
      const auto end = [&](CardId node) { return node == 6 ? "\"switch\"" : std::to_string(node); };
      const auto faults = read("[[fault]]\nat = \"0 s\"\none_way = true\nstate = \"down\"\nlink = [" +
                                   end(from) + ", " + end(to) + "]",
                               cluster);
      ASSERT_EQ(faults.size(), 1u);
      EXPECT_EQ(std::get<LinkStateFault>(faults[0].what).link, (FaultyLink{from, to, true}));
    }
  }
}

TEST(Faults, ACardAloneHasNoCables) {
  const Cluster alone = cluster_of(Topology::kRing, 1);
  EXPECT_NE(refused("link = [0, 0]\nstate = \"down\"", alone).find("no such cable"), std::string::npos);
  EXPECT_EQ(told("card = 0\nslowdown = 2", alone), "card 0 slowed 2 times at 50 ms");
}

TEST(Faults, RefusesTooMany) {
  const auto file = [](std::size_t count) {
    std::string toml = kHead + "fault = [";
    for (std::size_t i = 0; i < count; ++i) toml += "{ at = \"1 s\", card = 0, slowdown = 2 },\n";
    return toml + "]";
  };
  EXPECT_EQ(fault_line(file(kMostFaults)), "accepted");
  EXPECT_EQ(fault_line(file(kMostFaults + 1)),
            "x.toml:2: fault: too many, wanted at most 100000, got 100001");
}

RC_GTEST_PROP(Faults, DamagedFilesGiveFaultsOrOneLine, ()) {
  const auto seed =
      read_text_file(SPANKER_SOURCE_DIR "/tests/fuzz_seeds/faults_fuzz/ring.toml", 1 << 20).value();
  std::string damaged = seed.substr(0, *rc::gen::inRange<std::size_t>(0, seed.size() + 1));
  const auto changes = *rc::gen::inRange(0, 4);
  for (int i = 0; i < changes && !damaged.empty(); ++i) {
    damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] = *rc::gen::arbitrary<char>();
  }
  const Cluster cluster = cluster_of(Topology::kRing);
  const auto faults = parse_faults(damaged, "x.toml", cluster);
  if (faults) {
    for (const Fault& fault : *faults) RC_ASSERT(!to_string(fault, Network(cluster)).empty());
  } else {
    const std::string line = to_line(faults.error());
    RC_ASSERT(line.starts_with("x.toml"));
    RC_ASSERT(escape_control(line) == line);
  }
}

TEST(Faults, LoadsFiles) {
  const Cluster ring = cluster_of(Topology::kRing);
  EXPECT_EQ(load_faults(SPANKER_SOURCE_DIR "/tests/fuzz_seeds/faults_fuzz/ring.toml", ring).value().size(),
            7u);
  const std::string star = SPANKER_SOURCE_DIR "/tests/fuzz_seeds/faults_fuzz/star.toml";
  EXPECT_EQ(load_faults(star, cluster_of(Topology::kStar)).value().size(), 3u);
  const auto wrong = load_faults(star, ring);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().where, star + ":4: fault[0].link");
  const auto absent = load_faults("no/such.toml", ring);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kIo);
  EXPECT_EQ(absent.error().where, "no/such.toml");
}

}  // namespace
}  // namespace spanker
