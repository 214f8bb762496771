#include "spanker/lower/lower.hpp"
#include "spanker/upper/upper.hpp"

namespace spanker {

int lower() { return upper(); }

}  // namespace spanker
