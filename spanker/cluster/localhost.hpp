#pragma once

#include <optional>
#include <string>

namespace spanker {

/// Where the profile `localhost`, of this machine once it is measured, is kept:
/// $XDG_CONFIG_HOME/spanker/localhost.toml, or ~/.config/spanker/localhost.toml. Nothing where neither
/// variable is set.
std::optional<std::string> localhost_profile_path();

}  // namespace spanker
