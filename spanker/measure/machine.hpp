#pragma once

#include <cstdint>
#include <string>

#include "spanker/base/quantity.hpp"

namespace spanker {

/// What a machine is made of.
struct Machine {
  std::string host;
  std::string processor;  ///< "AMD EPYC 9354"; empty where it does not say
  std::uint32_t cores = 1;
  std::uint32_t hardware_threads = 1;  ///< that this process may use
  Bytes memory;
};

/// This one, by hwloc.
Machine this_machine();

/// Processes that wanted to run in the last minute, on average, as Linux counts them; 0 where it does not
/// say.
double machine_load();

}  // namespace spanker
