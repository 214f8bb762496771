#pragma once

#include <nlohmann/json.hpp>

#include "spanker/base/strict_object.hpp"
#include "spanker/cluster/cluster.hpp"

// For the modules that write and read JSON: not a public header.
namespace spanker {

/// Every value of a cluster (docs/commands.md, `profile show --json`), but not its warnings, which follow
/// from them. `link` is null where the profile had none.
nlohmann::ordered_json cluster_json(const Cluster& cluster);

/// The cluster that cluster_json wrote, doubles bit by bit, with the warnings that its profile would get.
/// What no profile could say is a fault: values outside their own range, cards or cables that do not exist,
/// prices without a currency. Where there is a fault the cluster is not to be used.
Cluster read_cluster(const StrictObject& object);

}  // namespace spanker
