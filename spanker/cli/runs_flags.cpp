#include "spanker/cli/runs_flags.hpp"

#include "spanker/cluster/profile.hpp"

namespace spanker {

Result<std::optional<Cluster>> optional_cluster(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  return load_cluster(*name).map([](Cluster cluster) { return std::optional(std::move(cluster)); });
}

Result<std::optional<RunFilter>> optional_filter(const std::optional<std::string>& text, const char* flag) {
  if (!text) return std::nullopt;
  return RunFilter::parse(*text, flag).map([](RunFilter filter) { return std::optional(std::move(filter)); });
}

}  // namespace spanker
