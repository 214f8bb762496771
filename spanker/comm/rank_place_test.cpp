#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>
#include <optional>
#include <string>

#include "spanker/comm/rank_process.hpp"

namespace spanker {
namespace {

using Variables = std::map<std::string, std::string>;

constexpr const char* kRank = "OMPI_COMM_WORLD_RANK";
constexpr const char* kSize = "OMPI_COMM_WORLD_SIZE";
constexpr const char* kOnHost = "OMPI_COMM_WORLD_LOCAL_SIZE";

std::optional<RankPlace> place_with(const Variables& variables) {
  for (const char* name : {kRank, kSize, kOnHost}) ::unsetenv(name);
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  const auto place = rank_place();
  for (const char* name : {kRank, kSize, kOnHost}) ::unsetenv(name);
  return place;
}

TEST(RankPlace, AsMpirunSays) {
  const auto place = place_with({{kRank, "2"}, {kSize, "8"}, {kOnHost, "4"}});
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->rank, 2u);
  EXPECT_EQ(place->size, 8u);
  EXPECT_EQ(place->on_host, 4u);
}

TEST(RankPlace, AllOnOneHostUnlessSaidOtherwise) {
  const auto place = place_with({{kRank, "0"}, {kSize, "3"}});
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->on_host, 3u);
}

TEST(RankPlace, NothingWhereMpirunHasNotStartedIt) {
  EXPECT_FALSE(place_with({}));
  EXPECT_FALSE(place_with({{kRank, "0"}}));
  EXPECT_FALSE(place_with({{kSize, "2"}}));
}

TEST(RankPlace, NothingOfWhatIsNoPlace) {
  for (const char* wrong : {"", "x", "1x", " 1", "-1", "4294967296", "1.0"}) {
    EXPECT_FALSE(place_with({{kRank, wrong}, {kSize, "8"}})) << wrong;
    EXPECT_FALSE(place_with({{kRank, "0"}, {kSize, wrong}})) << wrong;
  }
  EXPECT_FALSE(place_with({{kRank, "2"}, {kSize, "2"}}));
  EXPECT_FALSE(place_with({{kRank, "0"}, {kSize, "0"}}));
}

// Threads are divided by it.
TEST(RankPlace, AHostHasOneRankOrMore) {
  for (const char* wrong : {"0", "x", "9"}) {
    const auto place = place_with({{kRank, "0"}, {kSize, "8"}, {kOnHost, wrong}});
    ASSERT_TRUE(place.has_value());
    EXPECT_GE(place->on_host, 1u) << wrong;
    EXPECT_LE(place->on_host, 8u) << wrong;
  }
}

}  // namespace
}  // namespace spanker
