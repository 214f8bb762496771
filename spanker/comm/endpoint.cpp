#include "spanker/comm/endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace spanker {
namespace {

/// So much that a card seldom waits for others to have received what it sent: more than a hundred vectors of
/// 8 KiB.
constexpr std::size_t kLeastMemory = std::size_t{1} << 20;

}  // namespace

Failure Endpoint::give_up(Error error, std::string_view doing) {
  error.where = fmt::format("{}, {}", transport_->name(transport_->card()), doing);
  if (!step_.empty()) error.where += ", at " + step_;
  transport_->fail(error);
  return Failure(std::move(error));
}

Result<void> Endpoint::make_room(std::size_t bytes) {
  if (memory_.size() - used_ >= bytes) return {};
  if (const auto finished = transport_->finish_sends(timeout_); !finished) return finished;
  used_ = 0;
  if (memory_.size() < bytes) memory_.resize(std::max(bytes, kLeastMemory));
  return {};
}

std::span<std::byte> Endpoint::staged(std::size_t bytes) {
  assert(memory_.size() - used_ >= bytes);
  const std::span<std::byte> piece = std::span(memory_).subspan(used_, bytes);
  used_ += bytes;
  return piece;
}

}  // namespace spanker
