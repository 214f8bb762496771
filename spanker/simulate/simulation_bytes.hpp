#pragma once

#include <string>
#include <string_view>

#include "spanker/simulate/simulate.hpp"

// Internal to this module: a Simulation, without its graphs, on its way from one process to another on the
// same machine.
namespace spanker {

std::string to_bytes(const Simulation& simulation);
/// `bytes` from to_bytes; anything else is an internal error.
Result<Simulation> simulation_from(std::string_view bytes);

}  // namespace spanker
