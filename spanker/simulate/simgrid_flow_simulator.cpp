#include <signal.h>
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "spanker/simulate/flow_simulator.hpp"

// The only file that knows SimGrid (3.32). It runs without actors: activities are started from the callbacks
// of those that ended, which is several times as fast and leaves one stack.
namespace spanker {
namespace {

namespace s4u = simgrid::s4u;
using simgrid::kernel::timer::Timer;

/// Its engine takes over signals that are not its own to take.
class SignalKeeper {
 public:
  SignalKeeper() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], nullptr, &before_[i]);
  }
  SignalKeeper(const SignalKeeper&) = delete;
  SignalKeeper& operator=(const SignalKeeper&) = delete;
  ~SignalKeeper() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr std::array kSignals = {SIGINT, SIGSEGV};
  std::array<struct sigaction, kSignals.size()> before_{};
};

class SimGridFlowSimulator final : public FlowSimulator {
 public:
  SimGridFlowSimulator(const FlowNetwork& network, FlowClient& client)
      : client_(client), engine_(make_engine()) {
    zone_ = s4u::create_empty_zone("cluster");
    // Hosts are only ends of routes here: the route between any two of them can be any list of links.
    host_count_ =
        1 + static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(network.most_routes))));
    for (std::size_t i = 0; i < 2 * host_count_; ++i) {
      hosts_.push_back(zone_->create_host(std::to_string(i), 1.0));
    }
    for (const BytesPerSecond bandwidth : network.links) {
      s4u::Link* link = zone_->create_link(std::to_string(links_.size()), bandwidth.value);
      // SimGrid shares links in inverse proportion to the latencies of routes, as TCP does: with none,
      // equally.
      links_.push_back(link->set_latency(0)->seal());
    }
    zone_->seal();
    s4u::Activity::on_completion_cb([this](const s4u::Activity& activity) { ended(activity); });
  }

  Seconds now() const override { return Seconds(s4u::Engine::get_clock()); }

  std::uint32_t add_route(std::span<const std::uint32_t> links) override {
    std::vector<s4u::LinkInRoute> in_route;
    for (const std::uint32_t link : links) in_route.emplace_back(links_[link]);
    // A zone that takes any route has a table of all pairs; bypass routes cost what is used, and can come
    // late.
    const auto [from, to] = ends(route_count_);
    zone_->add_bypass_route(from->get_netpoint(), to->get_netpoint(), nullptr, nullptr, in_route);
    return route_count_++;
  }

  void start_flow(std::uint32_t flow, std::uint32_t route, Bytes bytes) override {
    const auto [from, to] = ends(route);
    s4u::CommPtr comm = s4u::Comm::sendto_init(from, to);
    comm->set_payload_size(bytes.value);
    comm->set_data(reinterpret_cast<void*>(std::uintptr_t{flow}));
    comm->start();
    if (flow >= comms_.size()) comms_.resize(flow + 1);
    comms_[flow] = std::move(comm);
  }

  void cancel_flow(std::uint32_t flow) override { comms_[flow]->cancel(); }

  void set_bandwidth(std::uint32_t link, BytesPerSecond bandwidth) override {
    links_[link]->set_bandwidth(bandwidth.value);
  }

  void start_timer(std::uint32_t timer, Seconds time) override {
    if (timer >= timers_.size()) timers_.resize(timer + 1);
    timers_[timer] = Timer::set(time.count(), [this, timer] { client_.timer_fired(timer); });
  }

  void cancel_timer(std::uint32_t timer) override { timers_[timer]->remove(); }

  void run() override { engine_->run(); }

 private:
  static s4u::Engine* make_engine() {
    const SignalKeeper keeper;
    std::string name = "spanker";
    std::string quiet = "--log=xbt_cfg.thres:warning";
    std::array<char*, 3> arguments = {name.data(), quiet.data(), nullptr};
    int count = 2;
    auto* engine = new s4u::Engine(&count, arguments.data());
    // Bandwidth as it is, without what a TCP stack would make of them.
    s4u::Engine::set_config("network/model:CM02");
    s4u::Engine::set_config("network/crosstraffic:0");
    s4u::Engine::set_config("network/TCP-gamma:0");
    // Events that are nearer than this to each other happen at once, at the time of the first: with 1e-9, 64
    // transfers of about 1 us each that are out of step end up to 1.3e-4 too early.
    s4u::Engine::set_config("surf/precision:1e-12");
    return engine;
  }

  std::pair<s4u::Host*, s4u::Host*> ends(std::uint32_t route) const {
    return {hosts_[route / host_count_], hosts_[host_count_ + route % host_count_]};
  }

  void ended(const s4u::Activity& activity) {
    // A cancelled flow is reported twice, as cancelled and then as failed.
    if (activity.get_state() == s4u::Activity::State::CANCELED) return;
    const auto flow = static_cast<std::uint32_t>(
        reinterpret_cast<std::uintptr_t>(static_cast<const s4u::Comm&>(activity).get_data<void>()));
    // SimGrid still uses it after this call.
    last_ended_ = std::move(comms_[flow]);
    client_.flow_ended(flow, activity.get_state() == s4u::Activity::State::FINISHED);
  }

  FlowClient& client_;
  s4u::Engine* engine_;
  s4u::NetZone* zone_ = nullptr;
  std::size_t host_count_ = 0;
  std::vector<s4u::Host*> hosts_;  ///< host_count_ where routes begin, then as many where they end
  std::vector<s4u::Link*> links_;
  std::uint32_t route_count_ = 0;
  std::vector<s4u::CommPtr> comms_;  ///< by flow
  s4u::CommPtr last_ended_;
  std::vector<Timer*> timers_;
};

}  // namespace
}  // namespace spanker

extern "C" spanker::FlowSimulator* spanker_make_flow_simulator(const spanker::FlowNetwork& network,
                                                               spanker::FlowClient& client) {
  return new spanker::SimGridFlowSimulator(network, client);
}
