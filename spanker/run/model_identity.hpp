#pragma once

#include <string>

#include "spanker/model/gguf_files.hpp"

namespace spanker {

/// What two copies of a model have in common and two models hardly ever: sizes, everything before the
/// weights, and 256 bytes at the start, in the middle and at the end of each tensor, as 16 hexadecimal
/// digits. Takes milliseconds, reads no weights but those. For mistakes; who wants to can make two that look
/// the same.
std::string model_identity(const GgufFiles& files);

}  // namespace spanker
