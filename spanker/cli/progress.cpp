#include "spanker/cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "spanker/base/format_quantity.hpp"
#include "spanker/report/table.hpp"

namespace spanker {
namespace {

constexpr Seconds kBetweenDraws(0.1);
constexpr std::size_t kBarWidth = 24;
/// Back to the start of the line, and after the text clear the rest of it.
constexpr std::string_view kStart = "\r";
constexpr std::string_view kClearRest = "\x1b[K";

std::string time_left(Seconds left) {
  const long seconds = std::lround(std::min(left.count(), 1e9));
  return seconds < 60 ? fmt::format("{} s left", seconds)
                      : fmt::format("{} min {:02} s left", seconds / 60, seconds % 60);
}

/// In at most `columns` columns: text first, as much bar as there is room for behind it.
std::string line(Bytes done, Bytes total, Seconds elapsed, std::size_t columns) {
  const double share =
      static_cast<double>(done.value) / static_cast<double>(std::max<std::uint64_t>(total.value, 1));
  const BytesPerSecond rate(static_cast<double>(done.value) / elapsed.count());
  std::string text = fmt::format("{:3.0f} %  {} of {}  {}", std::floor(100 * share), format(done),
                                 format(total), format(rate));
  if (done.value > 0) text += "  " + time_left(elapsed * ((1 - share) / share));
  if (text.size() > columns) return text.substr(0, columns);
  const std::size_t room = columns - text.size();
  if (room > 2) text += "  " + bar(share, std::min(room - 2, kBarWidth));
  return text;
}

}  // namespace

ProgressBar::~ProgressBar() {
  if (is_drawn_) output_.write(std::string(kStart).append(kClearRest));
}

void ProgressBar::update(Bytes done, Bytes total) {
  if (!output_.write) return;
  const Seconds now = output_.now();
  if (now - last_drawn_ < kBetweenDraws) return;
  last_drawn_ = now;
  is_drawn_ = true;
  // A text that fills the last column makes some terminals begin a new line.
  const std::size_t columns = std::max<std::size_t>(output_.columns, 1) - 1;
  output_.write(std::string(kStart).append(line(done, total, now - start_, columns)).append(kClearRest));
}

}  // namespace spanker
