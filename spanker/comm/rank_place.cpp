#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "spanker/comm/rank_process.hpp"

namespace spanker {
namespace {

std::optional<std::uint32_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<RankPlace> rank_place() {
  const auto rank = number_in("OMPI_COMM_WORLD_RANK");
  const auto size = number_in("OMPI_COMM_WORLD_SIZE");
  if (!rank || !size || *rank >= *size) return std::nullopt;
  const std::uint32_t on_host = number_in("OMPI_COMM_WORLD_LOCAL_SIZE").value_or(*size);
  return RankPlace{*rank, *size, std::clamp(on_host, 1u, *size)};
}

}  // namespace spanker
