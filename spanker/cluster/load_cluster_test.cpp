#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/cluster/network.hpp"
#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

namespace fs = std::filesystem;

class LoadCluster : public testing::FolderTest {
 protected:
  LoadCluster() : before_(fs::current_path()) { fs::current_path(folder_.path()); }
  ~LoadCluster() override { fs::current_path(before_); }

  static void refuse(const std::string& name, ErrorKind kind, std::string_view message) {
    const auto cluster = load_cluster(name);
    ASSERT_FALSE(cluster) << name;
    EXPECT_EQ(cluster.error().kind, kind);
    const std::string line = to_line(cluster.error());
    EXPECT_TRUE(line.starts_with(name)) << line;
    EXPECT_NE(line.find(message), std::string::npos) << line << "\ndoes not say " << message;
  }

  fs::path before_;
};

std::string_view builtin_text(std::string_view name) {
  for (const BuiltinProfile& profile : builtin_profiles()) {
    if (profile.name == name) return profile.toml;
  }
  return {};
}

TEST_F(LoadCluster, ReadsFilesByAnyName) {
  const std::string_view text = builtin_text("sails-rev-b-pcie");
  fs::create_directory("folder");
  for (const std::string name : {"mine.toml", "./mine", "folder/mine", "mine"}) {
    write(name, text);
    const auto cluster = load_cluster(name);
    ASSERT_TRUE(cluster) << to_line(cluster.error());
    EXPECT_EQ(cluster->name, "sails-rev-b-pcie");
  }
}

TEST_F(LoadCluster, BuiltinNameWinsOverAFile) {
  write("sails-rev-a", builtin_text("raspberry-pi-5-gbe"));
  EXPECT_EQ(load_cluster("sails-rev-a")->name, "sails-rev-a");
  EXPECT_EQ(load_cluster("./sails-rev-a")->name, "raspberry-pi-5-gbe");
}

TEST_F(LoadCluster, RefusesUnknownNames) {
  refuse("sails-rev-aa", ErrorKind::kBadInput, "did you mean sails-rev-a?");
  refuse("completely-else", ErrorKind::kBadInput,
         "no such cluster profile, wanted a path to a TOML file or one of cloud-c3d-20gbps, raspberry-pi-4b-gbe");
  fs::create_directory("a_folder");
  refuse("a_folder", ErrorKind::kBadInput, "no such cluster profile");
}

TEST_F(LoadCluster, RefusesPathsThatCannotBeRead) {
  refuse("missing.toml", ErrorKind::kIo, "cannot open");
  refuse("./missing", ErrorKind::kIo, "cannot open");
  fs::create_directory("folder.toml");
  refuse("folder.toml", ErrorKind::kIo, "wanted a regular file, got a directory");
}

TEST_F(LoadCluster, RefusesFilesThatAreTooLargeOrNotText) {
  write("large.toml", std::string(10'000'000, '#'));
  refuse("large.toml", ErrorKind::kBadInput, "file too large, wanted at most 1048576 bytes");
  write("bytes.toml", "name = \"\xc3\x28\"");
  refuse("bytes.toml", ErrorKind::kBadInput, "valid UTF-8");
  write("bad.toml", "schema = \"spanker.cluster/1\"\ncards = 0\n");
  refuse("bad.toml", ErrorKind::kBadInput, "bad.toml: name: missing");
}

bool warns_of(const Cluster& cluster, std::string_view text) {
  return std::any_of(cluster.warnings.begin(), cluster.warnings.end(),
                     [&](const std::string& warning) { return warning.find(text) != std::string::npos; });
}

void refuse_count(const Cluster& cluster, std::uint32_t cards, std::string_view message) {
  const auto changed = with_card_count(cluster, cards);
  ASSERT_FALSE(changed) << cards;
  EXPECT_EQ(changed.error().kind, ErrorKind::kBadInput);
  const std::string line = to_line(changed.error());
  EXPECT_TRUE(line.starts_with(cluster.name + ": cards")) << line;
  EXPECT_NE(line.find(message), std::string::npos) << line;
}

TEST(WithCardCount, ChangesNothingElse) {
  Cluster expected = *load_cluster("sails-rev-a-64b66b");
  const auto changed = with_card_count(expected, 7);
  ASSERT_TRUE(changed);
  expected.card_count = 7;
  EXPECT_EQ(changed->card_count, 7u);
  EXPECT_EQ(changed->card, expected.card);
  EXPECT_EQ(changed->link, expected.link);
  EXPECT_EQ(changed->warnings, expected.warnings);
}

TEST(WithCardCount, RefusesCountsOutOfRange) {
  const Cluster cluster = *load_cluster("sails-rev-a");
  refuse_count(cluster, 0, "wanted 1 to 65536, got 0");
  refuse_count(cluster, kMaxCards + 1, "got 65537");
  EXPECT_TRUE(with_card_count(cluster, kMaxCards));
}

TEST(WithCardCount, KeepsTheColumnsOfATorus) {
  Cluster cluster = *load_cluster("sails-rev-a");
  cluster.topology = Topology::kTorus;
  cluster.torus_columns = 2;
  EXPECT_EQ(with_card_count(cluster, 6)->torus_columns, 2u);
  refuse_count(cluster, 5, "wanted a multiple of its 2 columns, got 5");
}

TEST(WithCardCount, RefusesSeveralCardsWithoutALink) {
  Cluster cluster = *load_cluster("sails-rev-a");
  cluster.card_count = 1;
  cluster.link = {};
  EXPECT_TRUE(with_card_count(cluster, 1));
  refuse_count(cluster, 2, "no [link]");
}

TEST(WithCardCount, DropsOverridesThatAreGone) {
  Cluster cluster = *load_cluster("sails-rev-a");
  cluster.card_overrides[1] = cluster.card;
  cluster.card_overrides[3] = cluster.card;
  for (const auto& cable : {std::pair(0u, 1u), std::pair(3u, 0u), std::pair(0u, 3u)}) {
    cluster.link_overrides[cable] = cluster.link;
  }
  const auto fewer = with_card_count(cluster, 3);
  ASSERT_TRUE(fewer);
  EXPECT_EQ(fewer->card_overrides.size(), 1u);
  EXPECT_TRUE(fewer->card_overrides.contains(1));
  EXPECT_EQ(fewer->link_overrides.size(), 1u);
  EXPECT_TRUE(fewer->link_overrides.contains({0, 1}));
  EXPECT_TRUE(warns_of(*fewer, "with 3 cards, 1 card and 2 link overrides no longer apply and were dropped"));

  const auto more = with_card_count(cluster, 8);
  EXPECT_EQ(more->card_overrides.size(), 2u);
  EXPECT_EQ(more->link_overrides.size(), 1u) << "the ring closes elsewhere now";
  EXPECT_TRUE(warns_of(*more, "0 card and 2 link overrides"));
  EXPECT_FALSE(warns_of(*with_card_count(cluster, 4), "dropped"));
}

TEST(WithCardCount, MovesTheSwitchOfAStar) {
  Cluster cluster = *load_cluster("raspberry-pi-5-gbe");
  LinkSpec down = cluster.link;
  down.state = LinkState::kDown;
  cluster.link_overrides[{1, 4}] = down;
  cluster.link_overrides[{4, 3}] = down;
  for (const std::uint32_t cards : {2u, 3u, 9u}) {
    const auto changed = with_card_count(cluster, cards);
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->link_overrides.size(), cards > 3 ? 2u : 1u);
    EXPECT_TRUE(changed->link_overrides.contains({1, cards}));
    EXPECT_EQ(changed->link_overrides.contains({cards, 3}), cards > 3);
    std::vector<LinkId> route;
    EXPECT_FALSE(Network(*changed).append_route(1, 0, route));
    EXPECT_TRUE(Network(*changed).append_route(0, 1, route));
  }
}

TEST(WithCardCount, TellsWarningsAnew) {
  Cluster cluster = *load_cluster("sails-rev-a");
  cluster.warnings.emplace_back("said by another");
  cluster.card_overrides[3] = cluster.card;
  cluster.card_overrides[3].memory_bandwidth.value = BytesPerSecond(1e9);
  const auto worse = with_card_count(cluster, 4);
  EXPECT_TRUE(warns_of(*worse, "card 3: memory bandwidth 1 GB/s"));
  const auto fewer = with_card_count(*worse, 3);
  EXPECT_FALSE(warns_of(*fewer, "card 3"));
  EXPECT_TRUE(warns_of(*fewer, "said by another"));
  EXPECT_EQ(std::count_if(
                fewer->warnings.begin(), fewer->warnings.end(),
                [](const std::string& warning) { return warning.find("card.compute") != std::string::npos; }),
            1);
}

}  // namespace
}  // namespace spanker
