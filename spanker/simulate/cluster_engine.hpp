#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "spanker/base/random.hpp"
#include "spanker/cost/cluster_rates.hpp"
#include "spanker/simulate/contention_engine.hpp"
#include "spanker/simulate/flow_simulator.hpp"
#include "spanker/simulate/run_in_child.hpp"

// Internal to this module.
namespace spanker {

/// Turns cards, routes and changes of the cluster into flows and timers. All settings are in range.
class ClusterEngine final : public ContentionEngine, private FlowClient {
 public:
  ClusterEngine(const Cluster& cluster, const EngineSettings& settings, EngineDriver& driver,
                ParentLine& parent);

  /// Once. Returns what the driver's finish() returned.
  std::string run(MakeFlowSimulator* make_flow_simulator);

  Seconds now() const override { return flows_->now(); }
  void compute(CardId card, Seconds nominal, Tag tag) override;
  void transfer(CardId from, CardId to, Bytes bytes, Tag tag) override;
  void upload(CardId card, Bytes bytes, Tag tag) override;
  void download(CardId card, Bytes bytes, Tag tag) override;
  void at(Seconds time, Tag tag) override;
  std::optional<Obstacle> obstacle(CardId from, CardId to) const override;
  bool is_lost(CardId card) const override;
  const Network& network() const override { return rates_.network(); }
  void report_progress(double share) override { parent_.report({share, now()}); }
  [[noreturn]] void fail(const std::string& what) const override { parent_.fail(what); }

 private:
  using LinkIndex = std::uint32_t;   ///< of the flow simulator
  using RouteIndex = std::uint32_t;  ///< into routes_

  struct Link {
    BytesPerSecond bandwidth{};  ///< as the cluster states it
    LinkId id = 0;               ///< not of host links
    std::uint32_t down = 0;      ///< how many reasons there are for it to be down
    bool taken_down = false;     ///< whether a LinkStateChange is one of them
  };

  struct Route {
    CardId from = 0;  ///< of host links both ends are the card
    CardId to = 0;
    std::vector<LinkIndex> links{};  ///< empty where there is no route
    std::uint32_t flow_route = 0;    ///< of the flow simulator, if has_flow_route
    bool has_flow_route = false;
    Seconds latency{0};
  };

  struct Flow {
    enum class State : std::uint8_t { kFree, kInLatency, kMoving, kLost };
    Tag tag = 0;
    Bytes bytes;
    RouteIndex route = 0;
    std::uint32_t timer = 0;  ///< while in latency
    State state = State::kFree;
    bool is_traffic = false;  ///< of the host, not the driver
  };

  struct Card {
    SplitMix64 jitter{0};
    double speed = 1;
    bool lost = false;
    bool computes = false;
    Tag tag = 0;
    Seconds left{0};  ///< at speed 1, when it was counted
    Seconds counted{0};
    std::uint32_t timer = 0;
  };

  struct Timer {
    enum class Kind : std::uint8_t { kFree, kCompute, kLatency, kDriver, kInstant, kChange };
    Kind kind = Kind::kFree;
    std::uint64_t value = 0;  ///< a card, a flow or a tag
  };

  struct Waiting {
    Tag tag = 0;
    RouteIndex route = 0;
    Bytes bytes{};
    CardId card = 0;  ///< that computes, if is_compute
    bool is_compute = false;
  };

  void flow_ended(std::uint32_t flow, bool completed) override;
  void timer_fired(std::uint32_t timer) override;

  void build_network(FlowNetwork& network);
  LinkIndex add_link(LinkId id, FlowNetwork& network);
  void check_card(CardId card) const;
  void check_is_running() const;
  RouteIndex find_route(CardId from, CardId to) const;
  std::optional<Obstacle> obstacle(const Route& route) const;
  void start_transfer(RouteIndex route, Bytes bytes, Tag tag, bool is_traffic);
  void start_flow(std::uint32_t slot);
  void start_latency(std::uint32_t slot);
  void end_flow(std::uint32_t slot);
  std::uint32_t start_timer(Timer timer, Seconds time);
  void cancel_timer(std::uint32_t slot);
  void schedule_end(CardId card);

  void start_next_change();
  void apply(const ClusterChange& change);
  void apply_one(const LinkStateChange& change);
  void apply_one(const LinkSpeedChange& change);
  void apply_one(const HostLinkSpeedChange& change);
  void apply_one(const CardSpeedChange& change);
  void apply_one(const CardLoss& change);
  void apply_one(const HostTraffic& change);
  void lose_what_is_blocked();
  void start_what_waits();

  ClusterRates rates_;
  const EngineSettings& settings_;
  std::vector<TimedChange> changes_;  ///< in order of time
  std::size_t next_change_ = 0;
  EngineDriver& driver_;
  ParentLine& parent_;
  FlowNetwork flow_network_;
  FlowSimulator* flows_ = nullptr;

  std::vector<Link> links_;  ///< host links first: the way to cards, then the way from them
  std::size_t host_links_each_way_ = 0;
  std::unordered_map<LinkId, LinkIndex> link_index_;
  std::vector<Route> routes_;  ///< of each card from and to the host, then those of settings_.pairs
  std::unordered_map<std::uint64_t, RouteIndex> route_index_;
  std::vector<Card> cards_;
  std::vector<Flow> flow_slots_;
  std::vector<std::uint32_t> free_flows_;
  std::vector<Timer> timer_slots_;
  std::vector<std::uint32_t> free_timers_;
  std::vector<Waiting> waiting_;
  std::vector<std::pair<Tag, Obstacle>> losses_;  ///< to be reported
  bool is_over_ = false;
};

}  // namespace spanker
