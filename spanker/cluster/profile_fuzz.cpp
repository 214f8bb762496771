#include <cstddef>
#include <cstdint>
#include <string_view>

#include "spanker/base/result.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile.hpp"

// Any bytes must give a cluster with a network or a one-line error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto cluster = spanker::parse_profile(text, "fuzz.toml")) {
    (void)spanker::Network(*cluster).connected_cards();
  } else {
    (void)spanker::to_line(cluster.error());
  }
  return 0;
}
