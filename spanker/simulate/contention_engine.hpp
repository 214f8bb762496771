#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/cluster/network.hpp"

namespace spanker {

/// A driver's name for one of its activities or timers. Any number; the engine only hands it back.
using Tag = std::uint64_t;

/// One direction of one cable goes down or comes up again; in a star one end is `card_count`, the switch.
struct LinkStateChange {
  CardId from = 0;
  CardId to = 0;
  bool up = false;
};
/// One direction of one cable carries `factor` times what the cluster states; 1 restores it.
struct LinkSpeedChange {
  CardId from = 0;
  CardId to = 0;
  double factor = 1;
};
/// As LinkSpeedChange, for both directions of the host link (of all cards, where each has its own).
struct HostLinkSpeedChange {
  double factor = 1;
};
/// A card computes `factor` times as fast as the driver's nominal times say.
struct CardSpeedChange {
  CardId card = 0;
  double factor = 1;
};
/// A card is gone for good, and with it every cable that ends at it.
struct CardLoss {
  CardId card = 0;
};
/// The host sends `bytes` to a card on behalf of somebody else (loading weights, say).
struct HostTraffic {
  CardId card = 0;
  Bytes bytes;
};
using ClusterChange = std::variant<LinkStateChange, LinkSpeedChange, HostLinkSpeedChange, CardSpeedChange,
                                   CardLoss, HostTraffic>;

/// What happens to the cluster by itself, and when. Changes at 0 are in force before the driver starts and
/// not reported to it: stragglers and links that are slower from the outset are such changes.
struct TimedChange {
  Seconds at{0};  ///< at least 0, finite
  ClusterChange change;
};

struct EngineSettings {
  /// The transfers that the driver may start, by (from, to); repetitions do no harm. Only their routes are
  /// built, so that a full mesh of thousands of cards costs no more than what is used of it.
  std::vector<std::pair<CardId, CardId>> pairs;
  std::vector<TimedChange> changes;  ///< in any order; those of one instant happen in the order given
  /// Each computation takes (1 + jitter * u) times as long, u uniform in [-1, 1): at least 0, below 1. A
  /// card's n-th computation has the same u whatever the other cards do.
  double jitter = 0;
  std::uint64_t seed = 0;  ///< of the jitter
};

/// Why an activity cannot go on.
struct Obstacle {
  enum class Kind {
    kLinkDown,  ///< `link` is the first of its route that is down
    kCardLost,  ///< `card`, which computes, sends or receives, is lost
    kNoRoute,   ///< the cluster has no route between these cards
  };
  Kind kind = Kind::kLinkDown;
  LinkId link = 0;
  CardId card = 0;

  bool operator==(const Obstacle&) const = default;
};

struct WaitingActivity {
  Tag tag = 0;
  Obstacle obstacle;

  bool operator==(const WaitingActivity&) const = default;
};

/// A cluster in simulated time: cards that compute, links that are shared by what crosses them. Made by
/// run_contention, and used from a driver's functions only.
///
/// A transfer first uses the links of its route for bytes / bandwidth of the slowest (cut-through), longer
/// where others use them too, and ends after the latency of its hops, in which it disturbs nobody. The route
/// is Network::append_route of the cluster as it is at the beginning, and stays so. Transfers that want the
/// same link share it equally, as a cable that forwards packets in turn does, however far they go; one that
/// another link holds back leaves the rest to the others (max-min). The two directions of a cable do not
/// disturb each other.
///
/// Every activity ends in one call of the driver's done() or lost(), or is among those that finish() is told
/// of. It is never reported from within the call that started it.
class ContentionEngine {
 public:
  virtual Seconds now() const = 0;

  /// `nominal` (at least 0, finite) at the stated speed of the card, which must not be computing already.
  virtual void compute(CardId card, Seconds nominal, Tag tag) = 0;
  /// Over the cards' links, along one of the announced pairs; from == to: done at once.
  /// While there is an obstacle the transfer waits, and starts by itself if the obstacle goes.
  virtual void transfer(CardId from, CardId to, Bytes bytes, Tag tag) = 0;
  /// Over the host link, which all cards share or each has its own of; one direction does not disturb the
  /// other.
  virtual void upload(CardId card, Bytes bytes, Tag tag) = 0;
  virtual void download(CardId card, Bytes bytes, Tag tag) = 0;
  /// Calls the driver's timer() at `time`, now() at the earliest.
  virtual void at(Seconds time, Tag tag) = 0;

  /// What a transfer along one of the announced pairs would wait for now, if anything.
  virtual std::optional<Obstacle> obstacle(CardId from, CardId to) const = 0;
  virtual bool is_lost(CardId card) const = 0;
  virtual const Network& network() const = 0;

  /// Tells who asked for the run how far it is, 0 to 1; may be called often.
  virtual void report_progress(double share) = 0;
  /// Ends the run with an error that says `what` was wrong.
  [[noreturn]] virtual void fail(const std::string& what) const = 0;

 protected:
  ~ContentionEngine() = default;
};

/// What is done on the cluster: starts activities, is told how they end, and starts what follows from that.
class EngineDriver {
 public:
  virtual ~EngineDriver() = default;

  /// At time 0.
  virtual void start(ContentionEngine& engine) = 0;
  virtual void done(ContentionEngine& engine, Tag tag) = 0;
  /// It was under way, and what it had achieved is lost. Starting it again is allowed: it waits then.
  virtual void lost(ContentionEngine& engine, Tag tag, const Obstacle& obstacle) = 0;
  virtual void timer(ContentionEngine& engine, Tag tag);
  /// After what it made lose has been reported.
  virtual void cluster_changed(ContentionEngine& engine, const ClusterChange& change);
  /// Nothing happens any more. `waiting` are the activities that wait for ever, in the order in which they
  /// were started; no more can be started. Returns what the run is to return.
  virtual std::string finish(ContentionEngine& engine, std::span<const WaitingActivity> waiting) = 0;
};

struct EngineProgress {
  double share = 0;      ///< as the driver last reported it
  Seconds simulated{0};  ///< the simulated time of that report
};
/// Called some ten times a second while a run lasts; false ends it.
using EngineProgressCallback = std::function<bool(const EngineProgress&)>;

/// Runs `driver` on `cluster` (at its stated values) and returns what the driver's finish() returned, of any
/// size and content. The same arguments give the same result.
///
/// The run is a process of its own, forked from this one: the driver's functions run there, and nothing else
/// that they change is seen here. The process ends with this one, however this one ends. No other thread may
/// be in the middle of something that the driver needs (a lock, say).
///
/// Errors: kBadInput where a setting is out of range or names a card or cable that does not exist; kIo where
/// the program has no simulator (the message says why), where the process crashed or could not be had, where
/// the driver or a misuse of the engine failed the run, and where `progress` ended it.
Result<std::string> run_contention(const Cluster& cluster, const EngineSettings& settings,
                                   EngineDriver& driver, const EngineProgressCallback& progress = {});

}  // namespace spanker
