#pragma once

#include <string>

#include "spanker/measure/measure_machine.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// One JSON object, schema "spanker.measure/1".
std::string to_json(const MachineMeasurement& measured);
/// Tables for people.
std::string to_text(const MachineMeasurement& measured, const Style& style);

}  // namespace spanker
