#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/model/gguf_files.hpp"
#include "spanker/model/gguf_model.hpp"

namespace {

/// Where the magic stands once more, a second part begins.
std::vector<std::string_view> parts_of(std::string_view bytes) {
  const std::size_t second = bytes.find("GGUF", 4);
  if (second == std::string_view::npos) return {bytes};
  return {bytes.substr(0, second), bytes.substr(second)};
}

spanker::Result<spanker::Model> read(std::string_view bytes) {
  std::vector<spanker::GgufFile> parts;
  for (const std::string_view part : parts_of(bytes)) {
    auto file = spanker::GgufFile::parse(std::as_bytes(std::span(part)), "fuzz.gguf");
    if (!file) return tl::unexpected(file.error());
    parts.push_back(std::move(*file));
  }
  return spanker::GgufFiles::join(std::move(parts)).and_then(spanker::model_from_gguf);
}

}  // namespace

// Any bytes must give a model or a one-line error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto model = read({reinterpret_cast<const char*>(data), size})) {
    (void)spanker::weight_bytes(*model);
  } else {
    (void)spanker::to_line(model.error());
  }
  return 0;
}
