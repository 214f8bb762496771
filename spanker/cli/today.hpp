#pragma once

#include <string>

// Internal to this module.
namespace spanker {

/// "2026-11-28", in UTC.
std::string today();

}  // namespace spanker
