#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/measure/measured_runs.hpp"

namespace spanker {

/// Which runs are meant: those that meet every condition.
class RunFilter {
 public:
  /// Every run.
  RunFilter() = default;

  /// "cards<=2", "cards>=2, model=llama-2-7b": conditions joined by commas. `cards` takes <, <=, =, >=, > and
  /// a whole number; `cluster`, `model` and `schedule` take = or != and the text itself. "<=2" alone means
  /// cards. Fails with kBadInput at `where`.
  static Result<RunFilter> parse(std::string_view text, std::string_view where);

  bool matches(const MeasuredRun& run) const;

 private:
  enum class Key { kCards, kCluster, kModel, kSchedule };
  struct Condition {
    Key key;
    std::string comparison;
    std::string text;
    std::uint32_t number = 0;  ///< of kCards
  };
  static Result<Condition> condition(std::string_view text, std::string_view where);
  static bool meets(const MeasuredRun& run, const Condition& condition);

  std::vector<Condition> conditions_;
};

}  // namespace spanker
