#pragma once

namespace spanker {

/// Uses std::string without including it: compiles only where an earlier include happens to bring it.
std::string lower_name();

}  // namespace spanker
