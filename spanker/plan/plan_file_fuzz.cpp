#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "spanker/base/result.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/plan/predict.hpp"

// Any bytes must give a one-line error, or a plan that can be priced and that is the same when it is written
// and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = spanker::parse_plan_file(text, "fuzz.json");
  if (!read) {
    (void)spanker::to_line(read.error());
    return 0;
  }
  const std::string written = spanker::plan_file_text(read->problem, read->plan);
  const auto again = spanker::parse_plan_file(written, "again.json");
  if (!again || spanker::plan_file_text(again->problem, again->plan) != written) std::abort();
  // Pricing large groups or many streams is right but slow.
  const auto& [problem, plan] = *read;
  if (plan.cards_used() <= 16 && problem.cluster.card_count <= 64 && problem.workload.streams <= 64) {
    (void)spanker::predict(problem, plan);
  }
  return 0;
}
