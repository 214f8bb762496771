#include "spanker/lower/../upper/upper.hpp"
#include "spanker/lower/lower.hpp"

namespace spanker {

int lower() { return upper(); }

}  // namespace spanker
