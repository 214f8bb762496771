#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

// Internal to this module.
namespace spanker {

/// Accepts decimal digits only, for a number up to `most`. CLI11 by itself takes "0x10" and turns what is too
/// large into the largest number there is.
CLI::Validator whole_number(std::uint64_t most);

}  // namespace spanker
