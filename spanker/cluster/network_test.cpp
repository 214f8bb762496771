#include "spanker/cluster/network.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace spanker {
namespace {

using Edge = std::pair<CardId, CardId>;
using Edges = std::set<Edge>;

Cluster make_cluster(Topology topology, std::uint32_t cards, std::uint32_t columns = 0) {
  Cluster cluster;
  cluster.topology = topology;
  cluster.card_count = cards;
  cluster.torus_columns = columns;
  return cluster;
}

void join(Edges& edges, CardId a, CardId b) {
  if (a == b) return;
  edges.insert({a, b});
  edges.insert({b, a});
}

/// Every directed link that the words of network.hpp describe, by its ends; a set, so a ring of two is one
/// cable.
Edges edges_of(const Cluster& cluster) {
  Edges edges;
  const std::uint32_t n = cluster.card_count;
  const std::uint32_t columns = std::max(cluster.torus_columns, 1u);
  for (CardId a = 0; a < n; ++a) {
    switch (cluster.topology) {
      case Topology::kRing:
        join(edges, a, (a + 1) % n);
        break;
      case Topology::kLine:
        if (a + 1 < n) join(edges, a, a + 1);
        break;
      case Topology::kFullMesh:
        for (CardId b = 0; b < n; ++b) join(edges, a, b);
        break;
      case Topology::kStar:
        if (n > 1) join(edges, a, n);
        break;
      case Topology::kTorus:
        join(edges, a, a / columns * columns + (a % columns + 1) % columns);
        join(edges, a, (a + columns) % n);
        break;
    }
  }
  return edges;
}

/// Every topology at every size from 1 to 12, tori in every shape.
std::vector<Cluster> all_clusters() {
  std::vector<Cluster> clusters;
  for (std::uint32_t cards = 1; cards <= 12; ++cards) {
    for (const Topology topology : {Topology::kRing, Topology::kLine, Topology::kFullMesh, Topology::kStar}) {
      clusters.push_back(make_cluster(topology, cards));
    }
    for (std::uint32_t columns = 1; columns <= cards; ++columns) {
      if (cards % columns == 0) clusters.push_back(make_cluster(Topology::kTorus, cards, columns));
    }
  }
  return clusters;
}

std::string describe(const Cluster& cluster) {
  return std::string(to_string(cluster.topology)) + " of " + std::to_string(cluster.card_count) +
         ", columns " + std::to_string(cluster.torus_columns);
}

std::uint32_t node_count(const Cluster& cluster) {
  return cluster.card_count + (cluster.topology == Topology::kStar ? 1 : 0);
}

constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max() / 4;

/// Floyd-Warshall.
std::vector<std::vector<std::uint32_t>> distances(std::uint32_t nodes, const Edges& edges) {
  std::vector<std::vector<std::uint32_t>> distance(nodes, std::vector<std::uint32_t>(nodes, kFar));
  for (CardId a = 0; a < nodes; ++a) distance[a][a] = 0;
  for (const auto& [a, b] : edges) distance[a][b] = 1;
  for (CardId via = 0; via < nodes; ++via) {
    for (CardId a = 0; a < nodes; ++a) {
      for (CardId b = 0; b < nodes; ++b) {
        distance[a][b] = std::min(distance[a][b], distance[a][via] + distance[via][b]);
      }
    }
  }
  return distance;
}

/// The cards that a route visits, or nothing where it is not a chain of links from `from` to `to`.
std::vector<CardId> visited(const Network& network, CardId from, CardId to,
                            const std::vector<LinkId>& route) {
  std::vector<CardId> nodes = {from};
  for (const LinkId id : route) {
    const auto [a, b] = network.ends(id);
    if (a != nodes.back()) return {};
    nodes.push_back(b);
  }
  return nodes.back() == to ? nodes : std::vector<CardId>{};
}

std::vector<CardId> route_nodes(const Network& network, CardId from, CardId to) {
  std::vector<LinkId> route;
  return network.append_route(from, to, route) ? visited(network, from, to, route) : std::vector<CardId>{};
}

TEST(Network, LinksAreExactlyThoseOfTheTopology) {
  for (const Cluster& cluster : all_clusters()) {
    SCOPED_TRACE(describe(cluster));
    const Network network(cluster);
    const Edges expected = edges_of(cluster);
    ASSERT_EQ(network.link_count(), expected.size());
    Edges found;
    for (LinkId id = 0; id < network.link_count(); ++id) {
      found.insert(network.ends(id));
      EXPECT_EQ(network.find_link(network.ends(id).first, network.ends(id).second), id);
    }
    EXPECT_EQ(found, expected);
    for (CardId a = 0; a <= cluster.card_count + 1; ++a) {
      for (CardId b = 0; b <= cluster.card_count + 1; ++b) {
        EXPECT_EQ(network.find_link(a, b).has_value(), expected.contains({a, b})) << a << " " << b;
      }
    }
  }
}

TEST(Network, LinkCountsByHand) {
  EXPECT_EQ(Network(make_cluster(Topology::kRing, 2)).link_count(), 2u);
  EXPECT_EQ(Network(make_cluster(Topology::kRing, 4)).link_count(), 8u);
  EXPECT_EQ(Network(make_cluster(Topology::kLine, 4)).link_count(), 6u);
  EXPECT_EQ(Network(make_cluster(Topology::kFullMesh, 4)).link_count(), 12u);
  EXPECT_EQ(Network(make_cluster(Topology::kStar, 4)).link_count(), 8u);
  EXPECT_EQ(Network(make_cluster(Topology::kStar, 1)).link_count(), 0u);
  EXPECT_EQ(Network(make_cluster(Topology::kTorus, 16, 4)).link_count(), 64u);
  EXPECT_EQ(Network(make_cluster(Topology::kTorus, 4, 2)).link_count(), 8u);
  EXPECT_EQ(Network(make_cluster(Topology::kTorus, 6, 2)).link_count(), 18u);
}

TEST(Network, LargestMeshStillNumbersItsLinks) {
  const Network network(make_cluster(Topology::kFullMesh, kMaxCards));
  EXPECT_EQ(network.link_count(), std::size_t{65536} * 65535);
  const auto last = network.find_link(65535, 65534);
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, network.link_count() - 1);
  EXPECT_EQ(network.ends(*last), Edge(65535, 65534));
}

TEST(Network, RoutesAreShortestPaths) {
  for (const Cluster& cluster : all_clusters()) {
    SCOPED_TRACE(describe(cluster));
    const Network network(cluster);
    const auto distance = distances(node_count(cluster), edges_of(cluster));
    for (CardId from = 0; from < cluster.card_count; ++from) {
      for (CardId to = 0; to < cluster.card_count; ++to) {
        const auto nodes = route_nodes(network, from, to);
        ASSERT_EQ(nodes.size(), distance[from][to] + 1) << from << " to " << to;
      }
    }
  }
}

TEST(Network, RingTiesLeaveForTheHigherIndex) {
  const Network network(make_cluster(Topology::kRing, 4));
  EXPECT_EQ(route_nodes(network, 0, 2), (std::vector<CardId>{0, 1, 2}));
  EXPECT_EQ(route_nodes(network, 1, 3), (std::vector<CardId>{1, 2, 3}));
  EXPECT_EQ(route_nodes(network, 2, 0), (std::vector<CardId>{2, 3, 0}));
  EXPECT_EQ(route_nodes(network, 3, 1), (std::vector<CardId>{3, 0, 1}));
  EXPECT_EQ(route_nodes(network, 0, 3), (std::vector<CardId>{0, 3}));
}

TEST(Network, TorusGoesAlongTheRowFirst) {
  // 0 1 2 3
  // 4 5 6 7
  // 8 9 10 11
  const Network network(make_cluster(Topology::kTorus, 12, 4));
  EXPECT_EQ(route_nodes(network, 0, 6), (std::vector<CardId>{0, 1, 2, 6}));
  EXPECT_EQ(route_nodes(network, 6, 0), (std::vector<CardId>{6, 7, 4, 0}));
  EXPECT_EQ(route_nodes(network, 0, 11), (std::vector<CardId>{0, 3, 11}));
  EXPECT_EQ(route_nodes(network, 9, 1), (std::vector<CardId>{9, 1}));
}

TEST(Network, StarCrossesTheSwitchWhichHasAName) {
  const Network network(make_cluster(Topology::kStar, 4));
  EXPECT_EQ(route_nodes(network, 3, 1), (std::vector<CardId>{3, 4, 1}));
  EXPECT_EQ(network.link_name(*network.find_link(3, 4)), "3->switch");
  EXPECT_EQ(network.link_name(*network.find_link(4, 1)), "switch->1");
  EXPECT_EQ(network.node_name(4), "switch");
  const Network ring(make_cluster(Topology::kRing, 4));
  EXPECT_EQ(ring.link_name(*ring.find_link(0, 1)), "0->1");
  EXPECT_EQ(ring.node_name(3), "3");
}

TEST(Network, RouteKeepsWhatWasThereAndRefusesUnknownCards) {
  const Network network(make_cluster(Topology::kStar, 3));
  std::vector<LinkId> out = {77};
  EXPECT_TRUE(network.append_route(1, 1, out));
  EXPECT_EQ(out, std::vector<LinkId>{77});
  EXPECT_TRUE(network.append_route(0, 2, out));
  EXPECT_EQ(out, (std::vector<LinkId>{77, *network.find_link(0, 3), *network.find_link(3, 2)}));
  for (const auto& [from, to] : {Edge(0, 3), Edge(3, 0), Edge(3, 3), Edge(0, 4)}) {
    EXPECT_FALSE(network.append_route(from, to, out)) << from << " " << to;
  }
  EXPECT_EQ(out.size(), 3u);
}

void set_state(Cluster& cluster, CardId from, CardId to, LinkState state) {
  LinkSpec spec = cluster.link;
  spec.state = state;
  cluster.link_overrides[{from, to}] = spec;
}

TEST(Network, OnlyLinksThatAreUpCarryTraffic) {
  for (const LinkState state : {LinkState::kDown, LinkState::kTraining, LinkState::kError}) {
    Cluster cluster = make_cluster(Topology::kRing, 5);
    set_state(cluster, 0, 1, state);
    const Network network(cluster);
    EXPECT_EQ(route_nodes(network, 0, 1), (std::vector<CardId>{0, 4, 3, 2, 1}));
    EXPECT_EQ(route_nodes(network, 1, 0), (std::vector<CardId>{1, 0})) << "the other direction is up";
  }
}

TEST(Network, DetourTiesLeaveForTheHigherIndex) {
  Cluster mesh = make_cluster(Topology::kFullMesh, 5);
  set_state(mesh, 0, 1, LinkState::kDown);
  EXPECT_EQ(route_nodes(Network(mesh), 0, 1), (std::vector<CardId>{0, 4, 1}));
  set_state(mesh, 4, 1, LinkState::kDown);
  EXPECT_EQ(route_nodes(Network(mesh), 0, 1), (std::vector<CardId>{0, 3, 1}));

  Cluster torus = make_cluster(Topology::kTorus, 9, 3);
  set_state(torus, 0, 1, LinkState::kDown);
  EXPECT_EQ(route_nodes(Network(torus), 0, 4), (std::vector<CardId>{0, 3, 4}));
  EXPECT_EQ(route_nodes(Network(torus), 0, 1), (std::vector<CardId>{0, 2, 1}));
}

TEST(Network, LinkOfOverrideIsItsOwn) {
  Cluster cluster = make_cluster(Topology::kLine, 3);
  LinkSpec slow;
  slow.bandwidth.value = BytesPerSecond(7);
  cluster.link_overrides[{1, 2}] = slow;
  cluster.link_overrides[{0, 2}] = slow;  // no such cable
  const Network network(cluster);
  for (LinkId id = 0; id < network.link_count(); ++id) {
    EXPECT_EQ(network.link(id), network.ends(id) == Edge(1, 2) ? slow : cluster.link)
        << network.link_name(id);
  }
}

TEST(Network, IsUniformUntilALinkDiffers) {
  Cluster cluster = make_cluster(Topology::kRing, 2);
  EXPECT_TRUE(Network(cluster).is_uniform());
  LinkSpec slow;
  slow.bandwidth.value = BytesPerSecond(7);
  cluster.link_overrides[{0, 1}] = slow;
  EXPECT_FALSE(Network(cluster).is_uniform());
  cluster.link_overrides[{1, 0}] = slow;
  EXPECT_TRUE(Network(cluster).is_uniform()) << "every link has the same override";
  set_state(cluster, 1, 0, LinkState::kTraining);
  EXPECT_FALSE(Network(cluster).is_uniform());
  set_state(cluster, 0, 1, LinkState::kTraining);
  EXPECT_FALSE(Network(cluster).is_uniform()) << "alike, but not up";
  EXPECT_TRUE(Network(make_cluster(Topology::kRing, 1)).is_uniform());
}

TEST(Network, ConnectedCardsByHand) {
  Cluster line = make_cluster(Topology::kLine, 5);
  EXPECT_EQ(Network(line).connected_cards(), (std::vector<CardId>{0, 1, 2, 3, 4}));
  set_state(line, 1, 2, LinkState::kDown);
  EXPECT_EQ(Network(line).connected_cards(), (std::vector<CardId>{2, 3, 4})) << "one direction is not enough";

  Cluster even = make_cluster(Topology::kLine, 4);
  set_state(even, 2, 1, LinkState::kError);
  EXPECT_EQ(Network(even).connected_cards(), (std::vector<CardId>{0, 1})) << "a tie goes to the lowest card";

  Cluster star = make_cluster(Topology::kStar, 4);
  set_state(star, 4, 0, LinkState::kDown);
  EXPECT_EQ(Network(star).connected_cards(), (std::vector<CardId>{1, 2, 3}));

  Cluster one_way_ring = make_cluster(Topology::kRing, 4);
  for (CardId card = 0; card < 4; ++card) set_state(one_way_ring, (card + 1) % 4, card, LinkState::kDown);
  EXPECT_EQ(Network(one_way_ring).connected_cards(), (std::vector<CardId>{0, 1, 2, 3}));

  Cluster dead = make_cluster(Topology::kRing, 4);
  dead.link.state = LinkState::kDown;
  EXPECT_EQ(Network(dead).connected_cards(), (std::vector<CardId>{0}));
}

// Quadratic work would take minutes here.
TEST(Network, ConnectedCardsOfLargeBrokenClustersAreFoundInTime) {
  LinkSpec down;
  down.state = LinkState::kDown;
  for (const bool upward : {true, false}) {
    Cluster one_way = make_cluster(Topology::kLine, kMaxCards);
    for (CardId card = 0; card + 1 < kMaxCards; ++card) {
      one_way.link_overrides[upward ? Edge(card + 1, card) : Edge(card, card + 1)] = down;
    }
    EXPECT_EQ(Network(one_way).connected_cards(), std::vector<CardId>{0});
  }
  Cluster mesh = make_cluster(Topology::kFullMesh, kMaxCards);
  for (CardId card = 1; card < 2000; ++card) mesh.link_overrides[{0, card}] = down;
  EXPECT_EQ(Network(mesh).connected_cards().size(), kMaxCards);
  Cluster star = make_cluster(Topology::kStar, kMaxCards);
  for (CardId card = 0; card < kMaxCards; card += 2) star.link_overrides[{card, kMaxCards}] = down;
  EXPECT_EQ(Network(star).connected_cards().size(), kMaxCards / 2);
}

/// A random small cluster with some links that are not up.
Cluster broken_cluster() {
  static const std::vector<Cluster> kClusters = all_clusters();
  Cluster cluster = kClusters[*rc::gen::inRange<std::size_t>(0, kClusters.size())];
  const int percent = *rc::gen::element(5, 20, 50, 80);
  for (const Edge& edge : edges_of(cluster)) {
    if (*rc::gen::inRange(0, 100) < percent) {
      set_state(cluster, edge.first, edge.second,
                *rc::gen::element(LinkState::kDown, LinkState::kTraining, LinkState::kError));
    }
  }
  return cluster;
}

Edges up_edges(const Cluster& cluster) {
  Edges edges = edges_of(cluster);
  std::erase_if(edges, [&](const Edge& edge) { return cluster.link_overrides.contains(edge); });
  return edges;
}

RC_GTEST_PROP(NetworkProperty, BrokenLinksAreAvoidedByAShortestPath, ()) {
  const Cluster cluster = broken_cluster();
  const Network network(cluster);
  const Network whole(make_cluster(cluster.topology, cluster.card_count, cluster.torus_columns));
  const Edges up = up_edges(cluster);
  const auto distance = distances(node_count(cluster), up);
  for (CardId from = 0; from < cluster.card_count; ++from) {
    for (CardId to = 0; to < cluster.card_count; ++to) {
      std::vector<LinkId> route = {123};
      const bool found = network.append_route(from, to, route);
      RC_ASSERT(found == (distance[from][to] < kFar));
      RC_ASSERT(route.front() == 123u);
      route.erase(route.begin());
      if (!found) {
        RC_ASSERT(route.empty());
        continue;
      }
      const auto nodes = visited(network, from, to, route);
      RC_ASSERT(nodes.size() == distance[from][to] + 1);

      // The regular path where it is up; else at every hop the highest of those that stay on a shortest path.
      const auto regular = route_nodes(whole, from, to);
      bool regular_is_up = true;
      for (std::size_t i = 0; i + 1 < regular.size(); ++i)
        regular_is_up &= up.contains({regular[i], regular[i + 1]});
      if (regular_is_up) {
        RC_ASSERT(nodes == regular);
        continue;
      }
      for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
        RC_ASSERT(up.contains({nodes[i], nodes[i + 1]}));
        for (CardId other = nodes[i + 1] + 1; other < node_count(cluster); ++other) {
          RC_ASSERT(!(up.contains({nodes[i], other}) && distance[other][to] + 1 == distance[nodes[i]][to]));
        }
      }
    }
  }
}

RC_GTEST_PROP(NetworkProperty, ConnectedCardsAreTheLargestMutuallyReachableSet, ()) {
  const Cluster cluster = broken_cluster();
  const auto distance = distances(node_count(cluster), up_edges(cluster));
  std::vector<CardId> best;
  for (CardId card = 0; card < cluster.card_count; ++card) {
    std::vector<CardId> set;
    for (CardId other = 0; other < cluster.card_count; ++other) {
      if (distance[card][other] < kFar && distance[other][card] < kFar) set.push_back(other);
    }
    if (set.size() > best.size()) best = set;
  }
  RC_ASSERT(Network(cluster).connected_cards() == best);
}

TEST(Network, LargeRingRoutesAreClosedForm) {
  const Network network(make_cluster(Topology::kRing, kMaxCards));
  std::vector<LinkId> route;
  ASSERT_TRUE(network.append_route(5, 5 + kMaxCards / 2, route));
  EXPECT_EQ(route.size(), kMaxCards / 2);
  route.clear();
  ASSERT_TRUE(network.append_route(0, kMaxCards - 1, route));
  EXPECT_EQ(route, std::vector<LinkId>{*network.find_link(0, kMaxCards - 1)});
}

}  // namespace
}  // namespace spanker
