#pragma once

#include <string_view>

#include "spanker/base/result.hpp"

namespace spanker {

/// A part of this program that is loaded only where it is needed.
struct LoadedLibrary {
  std::string_view path;       ///< below the build tree as below the prefix of an installation
  std::string_view installed;  ///< where the build would install it
  std::string_view what;       ///< "the simulator", for errors
};

/// The address of a library's entry. Looks for the library in the program's folder or one of those around it,
/// so that it is found in the build tree and in every place that both were installed to; then where the build
/// would install it. It stays loaded. Fails with kIo where it cannot be loaded or has no such entry.
Result<void*> load_entry(const LoadedLibrary& library, const char* entry);

}  // namespace spanker
