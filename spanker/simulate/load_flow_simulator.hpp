#pragma once

#include "spanker/base/result.hpp"
#include "spanker/simulate/flow_simulator.hpp"

// Internal to this module.
namespace spanker {

/// The network simulator's entry, loaded at the first call. kIo if it was not built or cannot be loaded.
Result<MakeFlowSimulator*> load_flow_simulator();

}  // namespace spanker
