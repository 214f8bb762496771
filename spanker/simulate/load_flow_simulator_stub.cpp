#include "spanker/simulate/load_flow_simulator.hpp"

namespace spanker {

Result<MakeFlowSimulator*> load_flow_simulator() {
  return io_failure("simulation", "this program was built without SimGrid, which it needs to simulate",
                    "a build with Debian's libsimgrid-dev installed");
}

}  // namespace spanker
