#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "spanker/measure/measured_runs.hpp"

// Any bytes must give runs that are read back as they were written, or a one-line error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto runs = spanker::parse_measured_runs(text, "fuzz.json")) {
    const auto again = spanker::parse_measured_runs(spanker::measured_runs_text(*runs), "again.json");
    if (!again || *again != *runs) std::abort();
  } else {
    (void)spanker::to_line(runs.error());
  }
  return 0;
}
