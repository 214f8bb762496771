#include "spanker/simulate/load_flow_simulator.hpp"

#include "spanker/base/loaded_library.hpp"

namespace spanker {

Result<MakeFlowSimulator*> load_flow_simulator() {
  static const Result<void*> entry = load_entry(
      {SPANKER_FLOW_SIMULATOR, SPANKER_INSTALLED_FLOW_SIMULATOR, "the simulator"}, kMakeFlowSimulator);
  return entry.map([](void* address) { return reinterpret_cast<MakeFlowSimulator*>(address); });
}

}  // namespace spanker
