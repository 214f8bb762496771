#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "spanker/base/quantity.hpp"

namespace spanker {

/// Where long commands show how far they are, and by which clock.
struct ProgressOutput {
  std::function<void(std::string_view)>
      write;                 ///< to a terminal; empty where there is none: nothing is shown
  std::size_t columns = 80;  ///< of the terminal
  std::function<Seconds()> now = [] { return Seconds(std::chrono::steady_clock::now().time_since_epoch()); };
};

/// One line on a terminal that is drawn over and over, at most ten times a second and not in the first tenth,
/// and erased when the object goes.
class ProgressBar {
 public:
  explicit ProgressBar(const ProgressOutput& output) : output_(output), start_(output.now()) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  /// With the rate: "100 MB of 400 MB  50 MB/s".
  void update(Bytes done, Bytes total);
  /// Of countable things: "3 of 8 clusters searched".
  void update(std::uint64_t done, std::uint64_t total, std::string_view what);

 private:
  bool is_due();
  /// `amounts` is what has been done, in words.
  void draw(std::uint64_t done, std::uint64_t total, const std::string& amounts);

  const ProgressOutput& output_;
  Seconds start_;
  Seconds last_drawn_ = start_;
  bool is_drawn_ = false;
};

}  // namespace spanker
