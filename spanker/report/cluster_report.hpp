#pragma once

#include <span>
#include <string>

#include "spanker/cluster/cluster.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// Several clusters, one line each.
std::string list_to_json(std::span<const Cluster> clusters);
std::string list_to_text(std::span<const Cluster> clusters, const Style& style);

/// One cluster with every number, its range and its source.
std::string to_json(const Cluster& cluster);
std::string to_text(const Cluster& cluster, const Style& style);

}  // namespace spanker
