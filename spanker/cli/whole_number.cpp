#include "spanker/cli/whole_number.hpp"

#include <charconv>
#include <string>

namespace spanker {

CLI::Validator whole_number(std::uint64_t most) {
  const auto fault = [most](std::string& text) -> std::string {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc{} && rest == end && value <= most) return {};
    return "not a whole number in range, wanted 0 to " + std::to_string(most) + ", got \"" + text + "\"";
  };
  return CLI::Validator(fault, "", "whole number");
}

}  // namespace spanker
