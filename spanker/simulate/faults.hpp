#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/cluster/network.hpp"

namespace spanker {

/// A file may not hold more.
inline constexpr std::size_t kMostFaults = 100'000;

/// A cable, or one direction of it.
struct FaultyLink {
  CardId from = 0;
  CardId to = 0;         ///< a star's switch is `card_count`, as in a Network
  bool one_way = false;  ///< only from `from` to `to`

  bool operator==(const FaultyLink&) const = default;
};

/// A bandwidth, outright or as the part of the usual one that is left. The usual one is the cluster's,
/// whatever faults came before, so that a slowdown of 1 undoes them.
struct ChangedBandwidth {
  double slowdown = 1;  ///< 1 to 1e9; without meaning where there is a bandwidth
  std::optional<BytesPerSecond> bandwidth;

  BytesPerSecond from(BytesPerSecond usual) const {
    return bandwidth.value_or(BytesPerSecond(usual.value / slowdown));
  }
  bool operator==(const ChangedBandwidth&) const = default;
};

struct LinkStateFault {
  FaultyLink link;
  LinkState state = LinkState::kDown;  ///< all but up carry nothing

  bool operator==(const LinkStateFault&) const = default;
};

struct LinkBandwidthFault {
  FaultyLink link;
  ChangedBandwidth bandwidth;

  bool operator==(const LinkBandwidthFault&) const = default;
};

/// The card is gone, for good.
struct CardLostFault {
  CardId card = 0;

  bool operator==(const CardLostFault&) const = default;
};

/// All that the card computes takes `slowdown` times its usual time.
struct CardSlowFault {
  CardId card = 0;
  double slowdown = 1;  ///< 1 to 1e9

  bool operator==(const CardSlowFault&) const = default;
};

struct HostLinkFault {
  ChangedBandwidth bandwidth;

  bool operator==(const HostLinkFault&) const = default;
};

/// The host begins to send so many bytes to the card, over its link.
struct HostLoadFault {
  CardId card = 0;
  Bytes bytes;

  bool operator==(const HostLoadFault&) const = default;
};

/// Something that changes in the middle of a simulation.
struct Fault {
  Seconds at{0};  ///< simulated time since the start, 0 to 1e6
  std::variant<LinkStateFault, LinkBandwidthFault, CardLostFault, CardSlowFault, HostLinkFault, HostLoadFault>
      what;

  bool operator==(const Fault&) const = default;
};

/// "link 0-1 down at 50 ms", "link 2->switch slowed 4 times at 1 s", "loading 600 MB to card 2 at 0 s".
/// `network` is that of the cluster whose faults they are.
std::string to_string(const Fault& fault, const Network& network);

/// Reads timed faults, schema "spanker.faults/1" (docs/fault-files.md), and returns them in the order of
/// their times; those of one time in the file's. Strict: unknown keys, several changes or none in one fault,
/// cards or cables that `cluster` does not have are errors that name `where`, the line and the key.
Result<std::vector<Fault>> parse_faults(std::string_view toml, std::string_view where,
                                        const Cluster& cluster);

/// The same of a file. Fails with kIo where it cannot be read, with kBadInput where it is longer than 16 MiB
/// or not UTF-8, too.
Result<std::vector<Fault>> load_faults(const std::string& path, const Cluster& cluster);

}  // namespace spanker
