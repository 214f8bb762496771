#pragma once

#include "spanker/lower/lower.hpp"

namespace spanker {

int upper();

}  // namespace spanker
