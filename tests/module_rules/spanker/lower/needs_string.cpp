#include <string>

#include "spanker/lower/lower.hpp"
#include "spanker/lower/needs_string.hpp"

namespace spanker {

int lower() { return 1; }

std::string lower_name() { return "lower"; }

}  // namespace spanker
