#include "spanker/upper/upper.hpp"

namespace spanker {

int upper() { return lower() + 1; }

}  // namespace spanker
