#include "lower.hpp"

namespace spanker {

int lower() { return 1; }

}  // namespace spanker
