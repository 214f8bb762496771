#include "spanker/cluster/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "spanker/base/file.hpp"
#include "spanker/base/text.hpp"
#include "spanker/cluster/localhost.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile_warnings.hpp"

namespace spanker {
namespace {

constexpr const char* kLocalhost = "localhost";

Result<Cluster> load_file(const std::string& path) {
  const auto text = read_text_file(path, kMaxProfileBytes);
  if (!text) return tl::unexpected(text.error());
  return parse_profile(*text, path);
}

Result<Cluster> load_localhost() {
  const auto path = localhost_profile_path();
  std::error_code ignored;
  if (path && std::filesystem::exists(*path, ignored)) return load_file(*path);
  return bad_input(kLocalhost, "this machine has not been measured", "spanker measure first");
}

}  // namespace

Result<Cluster> load_cluster(const std::string& name_or_path) {
  if (name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".toml"))
    return load_file(name_or_path);
  if (name_or_path == kLocalhost) return load_localhost();
  std::vector<std::string_view> names;
  for (const BuiltinProfile& profile : builtin_profiles()) {
    if (profile.name == name_or_path) return parse_profile(profile.toml, profile.name);
    names.push_back(profile.name);
  }
  std::error_code ignored;
  if (std::filesystem::is_regular_file(name_or_path, ignored)) return load_file(name_or_path);
  const std::string_view near = closest(name_or_path, names);
  return bad_input(name_or_path,
                   near.empty() ? "no such cluster profile"
                                : fmt::format("no such cluster profile, did you mean {}?", near),
                   fmt::format("a path to a TOML file or one of {}", fmt::join(names, ", ")));
}

Result<Cluster> with_card_count(const Cluster& cluster, std::uint32_t cards) {
  const std::string where = cluster.name + ": cards";
  if (cards == 0 || cards > kMaxCards) {
    return bad_input(where, "out of range", fmt::format("1 to {}", kMaxCards), std::to_string(cards));
  }
  if (cluster.topology == Topology::kTorus && cards % cluster.torus_columns != 0) {
    return bad_input(where, "does not fill the torus",
                     fmt::format("a multiple of its {} columns", cluster.torus_columns),
                     std::to_string(cards));
  }
  if (cards > 1 && cluster.link.bandwidth.value.value == 0) {
    return bad_input(where, "the profile has no [link] to join several cards", "1", std::to_string(cards));
  }

  Cluster changed = cluster;
  changed.card_count = cards;
  changed.card_overrides.erase(changed.card_overrides.lower_bound(cards), changed.card_overrides.end());
  const std::size_t lost_cards = cluster.card_overrides.size() - changed.card_overrides.size();

  const Network network(changed);
  changed.link_overrides.clear();
  std::size_t lost_links = 0;
  for (const auto& [cable, spec] : cluster.link_overrides) {
    // The switch of a star is numbered after its cards.
    const auto moved = [&](CardId node) { return node == cluster.card_count ? cards : node; };
    const std::pair ends(moved(cable.first), moved(cable.second));
    if (network.find_link(ends.first, ends.second)) {
      changed.link_overrides.emplace(ends, spec);
    } else {
      ++lost_links;
    }
  }

  const std::vector<std::string> outdated = profile_warnings(cluster);
  std::erase_if(changed.warnings, [&](const std::string& warning) {
    return std::find(outdated.begin(), outdated.end(), warning) != outdated.end();
  });
  for (std::string& warning : profile_warnings(changed)) changed.warnings.push_back(std::move(warning));
  if (lost_cards + lost_links > 0) {
    changed.warnings.push_back(
        fmt::format("with {} cards, {} card and {} link overrides no longer apply and were dropped", cards,
                    lost_cards, lost_links));
  }
  return changed;
}

}  // namespace spanker
