#pragma once

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

/// Sorted by name.
std::span<const BuiltinProfile> builtin_profiles();

/// Reads a cluster profile, schema "spanker.cluster/1" (docs/cluster-profiles.md). Strict: unknown keys, bare
/// numbers, values outside their own range, cards or cables that do not exist are errors that name `where`
/// and the key.
Result<Cluster> parse_profile(std::string_view toml, std::string_view where);

/// The cluster named by a built-in profile or by a path to a TOML file. Fails with kBadInput where neither
/// exists by that name (what contains a '/' or ends in ".toml" is a path, and kIo where it cannot be read),
/// or where the file is longer than 1 MiB, not UTF-8 or refused by parse_profile.
Result<Cluster> load_cluster(const std::string& name_or_path);

/// The same cluster with another number of cards. Overrides of cards and links that are gone are dropped,
/// with a warning; those of a star's switch follow it. Fails where `cards` is 0, above kMaxCards, not a
/// multiple of a torus' columns, or above 1 where the profile had no [link].
Result<Cluster> with_card_count(const Cluster& cluster, std::uint32_t cards);

}  // namespace spanker
