#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"

namespace spanker {

/// A profile compiled into the library.
struct BuiltinProfile {
  std::string_view name;
  std::string_view toml;
};

inline constexpr std::size_t kMaxProfileBytes = std::size_t{1} << 20;

/// Sorted by name.
std::span<const BuiltinProfile> builtin_profiles();

/// Reads a cluster profile, schema "spanker.cluster/1" (docs/cluster-profiles.md). Strict: unknown keys, bare
/// numbers, values outside their own range, cards or cables that do not exist are errors that name `where`
/// and the key.
Result<Cluster> parse_profile(std::string_view toml, std::string_view where);

/// The profile of a cluster that parse_profile or with_card_count returned: TOML that parse_profile reads
/// back to the same cluster, numbers bit by bit. What the profile had beside its values (comments, the lanes
/// of a link) is not in it; overrides are written whole, those of links for each direction.
std::string profile_text(const Cluster& cluster);

/// Writes profile_text as AtomicFileWriter does: kIo where that fails; kBadInput where the profile would be
/// longer than load_cluster reads.
Result<void> write_profile(const std::string& path, const Cluster& cluster);

/// The cluster named by a built-in profile, by `localhost` or by a path to a TOML file. Fails with kBadInput where neither
/// exists by that name (what contains a '/' or ends in ".toml" is a path, and kIo where it cannot be read),
/// or where the file is longer than 1 MiB, not UTF-8 or refused by parse_profile.
Result<Cluster> load_cluster(const std::string& name_or_path);

/// The same cluster with another number of cards. Overrides of cards and links that are gone are dropped,
/// with a warning; those of a star's switch follow it. Fails where `cards` is 0, above kMaxCards, not a
/// multiple of a torus' columns, or above 1 where the profile had no [link].
Result<Cluster> with_card_count(const Cluster& cluster, std::uint32_t cards);

}  // namespace spanker
