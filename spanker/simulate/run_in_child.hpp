#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/simulate/contention_engine.hpp"

// Internal to this module.
namespace spanker {

/// The child's end of the line to its parent.
class ParentLine {
 public:
  explicit ParentLine(int descriptor) : descriptor_(descriptor) {}

  /// Passes it on if the last one is a tenth of a second old.
  void report(const EngineProgress& progress);
  /// Ends the child, with an error that says `what`.
  [[noreturn]] void fail(std::string_view what) const;
  /// Ends the child, with a result.
  [[noreturn]] void finish(std::string_view result) const;

 private:
  [[noreturn]] void end(char kind, std::string_view payload) const;

  int descriptor_;
  std::chrono::steady_clock::time_point last_report_ = std::chrono::steady_clock::now();
};

/// Does `work` in a forked child, whose standard output and error it keeps to itself, and returns what that
/// passed to ParentLine::finish. It must end by finish or fail. Errors and `progress` as in run_contention.
Result<std::string> run_in_child(const std::function<void(ParentLine&)>& work,
                                 const EngineProgressCallback& progress);

}  // namespace spanker
