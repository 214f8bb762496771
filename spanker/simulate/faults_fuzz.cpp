#include "spanker/simulate/faults.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

// Any bytes must give faults that can be told, or a one-line error; for a ring and, the first byte decides,
// a star.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  spanker::Cluster cluster;
  cluster.card_count = 4;
  if (text.starts_with('#')) cluster.topology = spanker::Topology::kStar;
  if (const auto faults = spanker::parse_faults(text, "fuzz.toml", cluster)) {
    const spanker::Network network(cluster);
    for (const spanker::Fault& fault : *faults) (void)to_string(fault, network);
  } else {
    (void)spanker::to_line(faults.error());
  }
  return 0;
}
