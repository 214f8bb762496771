#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "spanker/base/quantity.hpp"

// Internal to this module. What lies between the engine and the network simulator that is loaded when it is
// first needed: it knows links, routes and time, and nothing of cards. Only inline code may be used here, so
// that the loaded part needs nothing of the program that loads it.
namespace spanker {

struct FlowNetwork {
  std::vector<BytesPerSecond> links;  ///< all that there will ever be
  std::size_t most_routes = 0;
};

/// Is told what happens. It may start flows and timers from these calls.
class FlowClient {
 public:
  virtual void flow_ended(std::uint32_t flow, bool completed) = 0;
  virtual void timer_fired(std::uint32_t timer) = 0;

 protected:
  ~FlowClient() = default;
};

/// Flows that share links equally (max-min), in simulated time. There can be one in a process, and it lasts
/// as long as that.
class FlowSimulator {
 public:
  virtual Seconds now() const = 0;
  /// The route over these links, at least one and each at most once. The n-th call returns n - 1.
  virtual std::uint32_t add_route(std::span<const std::uint32_t> links) = 0;
  /// `flow` is the client's number for it, which it may give again once it has ended. `bytes` is above 0.
  virtual void start_flow(std::uint32_t flow, std::uint32_t route, Bytes bytes) = 0;
  /// It ends soon, incomplete.
  virtual void cancel_flow(std::uint32_t flow) = 0;
  virtual void set_bandwidth(std::uint32_t link, BytesPerSecond bandwidth) = 0;
  /// `timer` is the client's number for it, which it may give again once it has fired or was cancelled.
  virtual void start_timer(std::uint32_t timer, Seconds time) = 0;
  virtual void cancel_timer(std::uint32_t timer) = 0;
  /// Until nothing is left that could happen.
  virtual void run() = 0;

 protected:
  ~FlowSimulator() = default;
};

/// What the loaded library offers, under the name kMakeFlowSimulator. Both arguments must stay.
using MakeFlowSimulator = FlowSimulator*(const FlowNetwork& network, FlowClient& client);
inline constexpr const char* kMakeFlowSimulator = "spanker_make_flow_simulator";

}  // namespace spanker
