#include "spanker/lower/lower.hpp"

namespace spanker {

int lower() {
  const double one = 1.5;
  return one;
}

}  // namespace spanker
