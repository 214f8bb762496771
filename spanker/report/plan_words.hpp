#pragma once

#include <string_view>

#include "spanker/plan/plan.hpp"

// Internal to this module: words for people that several reports share.
namespace spanker {

/// "one card", "tensor parallel", "pipeline", "hybrid".
std::string_view spoken(PlanStrategy strategy);

}  // namespace spanker
