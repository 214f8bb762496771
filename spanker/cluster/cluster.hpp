#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/cluster/link.hpp"
#include "spanker/cluster/ranged.hpp"

namespace spanker {

/// Cards are numbered from 0. In a star the switch has the number `card_count`.
using CardId = std::uint32_t;

/// The largest cluster a profile or a flag may ask for.
inline constexpr std::uint32_t kMaxCards = 65536;

enum class Topology { kRing, kLine, kFullMesh, kStar, kTorus };

/// "ring", "line", "full_mesh", "star", "torus".
std::string_view to_string(Topology topology);

struct CardSpec {
  Ranged<BytesPerSecond> memory_bandwidth;
  Ranged<Bytes> memory_capacity;
  std::optional<Ranged<OpsPerSecond>> compute;  ///< absent: compute is not modelled
  Ranged<Seconds> step_overhead;                ///< fixed cost of one kernel step
  Ranged<Seconds> token_overhead;               ///< fixed cost of one pass
  /// Of the time that a layer takes on one card: what every card of a group spends on it all the same,
  /// however small its part (Amdahl's serial share). Absent: none.
  std::optional<Ranged<Share>> serial_share;
  /// Read of each layer of the model that serial_share was seen with; other models' shares differ
  /// (cost/serial_share.hpp). Absent: it is that of all.
  std::optional<Bytes> serial_layer;
  /// Of its kernels' time: how long a group's first card waits for the slowest card. Absent: none.
  std::optional<Ranged<Share>> wait_share;
  std::optional<Ranged<Money>> price;  ///< in the cluster's currency
  std::optional<Ranged<Watts>> power;  ///< under load

  bool operator==(const CardSpec&) const = default;
};

/// Whether no prediction can tell the cards apart: equal but for price, power and where numbers come from.
bool perform_alike(const CardSpec& a, const CardSpec& b);

/// One direction of one cable.
struct LinkSpec {
  Ranged<BytesPerSecond> bandwidth;
  Ranged<Seconds> latency;
  LinkState state = LinkState::kUp;

  bool operator==(const LinkSpec&) const = default;
};

struct HostLinkSpec {
  Ranged<BytesPerSecond> bandwidth;
  Ranged<Seconds> latency;
  bool shared = true;  ///< one port for all cards

  bool operator==(const HostLinkSpec&) const = default;
};

/// A star's switch: how it bears several cards at once, and what it adds to the cost of the cluster.
struct SwitchSpec {
  /// By which part of itself each card beyond two that exchanges messages at once lengthens every message.
  /// Absent: none, a switch that never blocks.
  std::optional<Ranged<Share>> contention;
  std::optional<Ranged<Money>> price;  ///< in the cluster's currency
  std::optional<Ranged<Watts>> power;  ///< under load

  bool operator==(const SwitchSpec&) const = default;
};

/// Cards, cables and the host link, as a profile tells them. A value: everything else is derived from it.
struct Cluster {
  std::string name;
  std::string description;
  std::uint32_t card_count = 1;  ///< 1 to kMaxCards
  Topology topology = Topology::kRing;
  std::uint32_t torus_columns = 0;  ///< divides card_count in a torus, 0 elsewhere
  CardSpec card;                    ///< every card that has no override
  LinkSpec link;                    ///< every direction of every cable that has no override
  HostLinkSpec host_link;
  SwitchSpec star_switch;                                        ///< empty in other topologies
  std::string currency;                                          ///< of all prices; empty where there is none
  std::map<CardId, CardSpec> card_overrides;                     ///< complete specs, not differences
  std::map<std::pair<CardId, CardId>, LinkSpec> link_overrides;  ///< by (from, to); complete specs
  std::vector<std::string> warnings;                             ///< what the profile's reader noticed

  const CardSpec& card_at(CardId card_id) const;
  /// Whether all cards perform alike (links may differ).
  bool cards_are_equal() const;
};

}  // namespace spanker
