#pragma once

#include <cstdint>
#include <string>

#include "spanker/model/model.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// A file of random weights that was written.
struct SynthReport {
  std::string path;
  const Model& model;
  std::uint64_t seed;
  Bytes bytes;
  Seconds time;
};

/// One JSON object, `schema` "spanker.synth/1".
std::string to_json(const SynthReport& report);
std::string to_text(const SynthReport& report, const Style& style);

}  // namespace spanker
