#include "spanker/cluster/localhost.hpp"

#include <cstdlib>

namespace spanker {
namespace {

std::optional<std::string> directory_in(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string> localhost_profile_path() {
  if (const auto config = directory_in("XDG_CONFIG_HOME")) return *config + "/spanker/localhost.toml";
  if (const auto home = directory_in("HOME")) return *home + "/.config/spanker/localhost.toml";
  return std::nullopt;
}

}  // namespace spanker
