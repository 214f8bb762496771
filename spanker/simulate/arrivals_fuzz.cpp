#include "spanker/simulate/arrivals.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// Any bytes must give requests that the workload has room for, or a one-line error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const spanker::Workload workload;
  if (const auto requests = spanker::parse_arrivals(text, "fuzz.toml", workload)) {
    spanker::Seconds last{0};
    for (const spanker::Request& request : *requests) {
      if (request.at < last || request.prompt == 0 || request.generate == 0 ||
          request.prompt + request.generate > workload.context) {
        std::abort();
      }
      last = request.at;
    }
  } else {
    (void)spanker::to_line(requests.error());
  }
  return 0;
}
