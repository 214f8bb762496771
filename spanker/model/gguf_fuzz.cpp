#include <cstddef>
#include <cstdint>
#include <span>

#include "spanker/base/result.hpp"
#include "spanker/model/gguf.hpp"
#include "spanker/model/gguf_model.hpp"

// Any bytes must give a model or a one-line error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = spanker::GgufFile::parse(std::as_bytes(std::span(data, size)), "fuzz.gguf");
  if (!file) {
    (void)spanker::to_line(file.error());
    return 0;
  }
  if (const auto model = spanker::model_from_gguf(*file)) {
    (void)spanker::weight_bytes(*model);
  } else {
    (void)spanker::to_line(model.error());
  }
  return 0;
}
