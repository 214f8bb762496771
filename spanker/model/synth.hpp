#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/model/model.hpp"

namespace spanker {

/// Told how many bytes of how many are done; whether to go on.
using ProgressCallback = std::function<bool(Bytes done, Bytes total)>;

/// Writes a GGUF file of `model` to `path` (AtomicFileWriter): its shape, its name, random weights
/// (synth_weights.hpp) and a made-up tokenizer (synth_tokenizer.hpp). The same model and seed give the same
/// bytes everywhere, another seed other weights. Memory is needed for the header and a piece of about 1 MiB,
/// after each of which `progress` is called. Returns the bytes written.
///
/// Fails with kBadInput where a tensor is stored otherwise than as q4_0, q8_0, f16 or f32, and where the
/// vocabulary is too small for a tokenizer; with kIo where the file cannot be written, and where `progress`
/// says to stop. After a failure what was at `path` still is.
Result<Bytes> write_synthetic_gguf(const Model& model, std::uint64_t seed, const std::string& path,
                                   const ProgressCallback& progress);

}  // namespace spanker
