#pragma once

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "spanker/base/result.hpp"

namespace spanker {

/// What a benchmark cannot go on without: its error ends the program.
template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", to_line(result.error()).c_str());
  std::exit(1);
}

}  // namespace spanker
