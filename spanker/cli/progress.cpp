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
std::string line(double share, const std::string& amounts, Seconds elapsed, std::size_t columns) {
  std::string text = fmt::format("{:3.0f} %  {}", std::floor(100 * share), amounts);
  if (share > 0) text += "  " + time_left(elapsed * ((1 - share) / share));
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
  if (!is_due()) return;
  const BytesPerSecond rate(static_cast<double>(done.value) / (last_drawn_ - start_).count());
  draw(done.value, total.value, fmt::format("{} of {}  {}", format(done), format(total), format(rate)));
}

void ProgressBar::update(std::uint64_t done, std::uint64_t total, std::string_view what) {
  if (is_due()) draw(done, total, fmt::format("{} of {} {}", done, total, what));
}

bool ProgressBar::is_due() {
  if (!output_.write) return false;
  const Seconds now = output_.now();
  if (now - last_drawn_ < kBetweenDraws) return false;
  last_drawn_ = now;
  return true;
}

void ProgressBar::draw(std::uint64_t done, std::uint64_t total, const std::string& amounts) {
  is_drawn_ = true;
  const double share = static_cast<double>(done) / static_cast<double>(std::max<std::uint64_t>(total, 1));
  // A text that fills the last column makes some terminals begin a new line.
  const std::size_t columns = std::max<std::size_t>(output_.columns, 1) - 1;
  output_.write(
      std::string(kStart).append(line(share, amounts, last_drawn_ - start_, columns)).append(kClearRest));
}

}  // namespace spanker
