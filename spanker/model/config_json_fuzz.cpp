#include <cstddef>
#include <cstdint>
#include <string_view>

#include "spanker/base/result.hpp"
#include "spanker/model/config_json.hpp"

// Any bytes must give a model or a one-line error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto model =
          spanker::model_from_config_json(text, "fuzz/config.json", spanker::TensorType::kQ4_0)) {
    (void)spanker::weight_bytes(*model);
  } else {
    (void)spanker::to_line(model.error());
  }
  return 0;
}
