#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "spanker/cluster/profile.hpp"

/// What tests of the profile's reader share.
namespace spanker::testing {

/// A small sound profile; tests replace parts of it.
inline std::string sound() {
  return R"(schema = "spanker.cluster/1"
name = "test"
cards = 4
topology = "ring"
[card]
memory_bandwidth = { value = "2.0 GB/s", low = "1.5 GB/s", high = "2.4 GB/s", source = "a bench" }
memory_capacity = "4 GiB"
compute = "20 Gop/s"
[link]
bandwidth = { value = "100 MB/s", source = "a bench" }
latency = "1 us"
[host_link]
bandwidth = { value = "10 MB/s", source = "a bench" }
latency = "0 us"
)";
}

inline std::string replaced(std::string text, std::string_view old, std::string_view by) {
  const std::size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), by);
}

inline std::string with(std::string_view old, std::string_view by) { return replaced(sound(), old, by); }

inline Cluster read(const std::string& toml) {
  const auto cluster = parse_profile(toml, "x.toml");
  EXPECT_TRUE(cluster) << to_line(cluster.error());
  return cluster.value_or(Cluster{});
}

/// Expects bad input whose line starts with `place` and holds `message`.
inline void refuse(const std::string& toml, std::string_view place, std::string_view message) {
  SCOPED_TRACE(toml.substr(0, 2000));
  const auto cluster = parse_profile(toml, "x.toml");
  ASSERT_FALSE(cluster);
  EXPECT_EQ(cluster.error().kind, ErrorKind::kBadInput);
  const std::string line = to_line(cluster.error());
  EXPECT_TRUE(line.starts_with(place)) << line << "\nis not about " << place;
  EXPECT_NE(line.find(message), std::string::npos) << line << "\ndoes not say " << message;
}

}  // namespace spanker::testing
