#include "spanker/run/machine_cluster.hpp"

namespace spanker {
namespace {

template <class T>
Ranged<T> made_up(T value) {
  return {value, value, value, "made up"};
}

}  // namespace

Cluster unmeasured_machine(std::uint32_t cards, Bytes memory) {
  Cluster cluster;
  cluster.name = "this machine, not measured";
  cluster.card_count = cards;
  cluster.topology = Topology::kFullMesh;
  cluster.card.memory_bandwidth = made_up(BytesPerSecond(1e9));
  cluster.card.memory_capacity = made_up(memory);
  cluster.card.step_overhead = made_up(Seconds(0));
  cluster.card.token_overhead = made_up(Seconds(0));
  // Fast enough to spread even a small model, and slow enough that fewer rounds are better.
  cluster.link.bandwidth = made_up(BytesPerSecond(1e12));
  cluster.link.latency = made_up(Seconds(1e-12));
  cluster.host_link.bandwidth = made_up(BytesPerSecond(1e12));
  cluster.host_link.latency = made_up(Seconds(1e-12));
  return cluster;
}

}  // namespace spanker
