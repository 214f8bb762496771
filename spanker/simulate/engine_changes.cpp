#include "spanker/simulate/engine_changes.hpp"

namespace spanker {
namespace {

class Converter {
 public:
  Converter(const Cluster& cluster, std::vector<TimedChange>& changes)
      : cluster_(cluster), network_(cluster), changes_(changes) {}

  void convert(const Fault& fault) {
    at_ = fault.at;
    std::visit(*this, fault.what);
  }

  void operator()(const LinkStateFault& fault) {
    for_directions(fault.link, [&](CardId from, CardId to) {
      add(LinkStateChange{from, to, fault.state == LinkState::kUp});
    });
  }
  void operator()(const LinkBandwidthFault& fault) {
    for_directions(fault.link, [&](CardId from, CardId to) {
      const LinkId link = network_.find_link(from, to).value();
      add(LinkSpeedChange{from, to, factor(fault.bandwidth, network_.link(link).bandwidth.value)});
    });
  }
  void operator()(const CardLostFault& fault) { add(CardLoss{fault.card}); }
  void operator()(const CardSlowFault& fault) { add(CardSpeedChange{fault.card, 1 / fault.slowdown}); }
  void operator()(const HostLinkFault& fault) {
    add(HostLinkSpeedChange{factor(fault.bandwidth, cluster_.host_link.bandwidth.value)});
  }
  void operator()(const HostLoadFault& fault) { add(HostTraffic{fault.card, fault.bytes}); }

 private:
  template <class Change>
  void for_directions(const FaultyLink& link, Change change) {
    change(link.from, link.to);
    if (!link.one_way) change(link.to, link.from);
  }
  static double factor(const ChangedBandwidth& changed, BytesPerSecond usual) {
    return changed.from(usual).value / usual.value;
  }
  void add(ClusterChange change) { changes_.push_back({at_, change}); }

  const Cluster& cluster_;
  const Network network_;
  std::vector<TimedChange>& changes_;
  Seconds at_{0};
};

}  // namespace

std::vector<TimedChange> engine_changes(const Cluster& cluster, const std::vector<Fault>& faults) {
  std::vector<TimedChange> changes;
  Converter converter(cluster, changes);
  for (const Fault& fault : faults) converter.convert(fault);
  return changes;
}

}  // namespace spanker
