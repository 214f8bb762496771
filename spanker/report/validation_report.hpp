#pragma once

#include <string>

#include "spanker/measure/fit.hpp"
#include "spanker/measure/validation.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// What a fit found: schema "spanker.fit/1". `path` is where the profile was written.
std::string to_json(const Fit& fit, const std::string& path);
std::string to_text(const Fit& fit, const std::string& path, const Style& style);

/// Every run, predicted against measured, and summaries: schema "spanker.validate/1".
std::string to_json(const Validation& validation);
std::string to_text(const Validation& validation, const Style& style);

/// Predicted against measured seconds per token, with bands and the diagonal.
std::string to_svg(const Validation& validation);

}  // namespace spanker
