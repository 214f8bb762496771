#include "spanker/base/byte_reader.hpp"

#include <fmt/format.h>

namespace spanker {

Result<std::span<const std::byte>> ByteReader::read_bytes(std::uint64_t count, std::string_view what) {
  if (count > remaining()) {
    return bad_input(here(), fmt::format("file ends inside {}", what), fmt::format("{} bytes", count),
                     fmt::format("{} bytes", remaining()));
  }
  const auto view = bytes_.subspan(offset_, static_cast<std::size_t>(count));
  offset_ += view.size();
  return view;
}

std::string ByteReader::here() const { return fmt::format("{}: byte {}", file_, offset_); }

}  // namespace spanker
