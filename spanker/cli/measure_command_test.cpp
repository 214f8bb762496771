#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/cli/command_line_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

class MeasureCommand : public FolderTest {};

TEST_F(MeasureCommand, FlagsThatAreWrong) {
  expect_bad_input({"measure", "--cards", "65"}, "spanker measure: --cards: ...");
  expect_bad_input({"measure", "--cards", "2", "--ranks", "2"}, "spanker measure: ...");
  expect_bad_input({"measure", "--hostfile", "hosts"}, "spanker measure: ...");
  expect_bad_input({"measure", "--timeout", "0"}, "spanker measure: --timeout: ...");
}

TEST_F(MeasureCommand, LocalhostIsWhatWasMeasured) {
  ::setenv("XDG_CONFIG_HOME", path("config").c_str(), 1);
  expect_bad_input({"plan", "tinyllama-1.1b", "--cluster", "localhost"},
                   "localhost: this machine has not been measured, wanted spanker measure first");
  std::filesystem::create_directories(path("config/spanker"));
  std::filesystem::copy_file(
      std::string(SPANKER_SOURCE_DIR) + "/spanker/cluster/profiles/raspberry-pi-5-gbe.toml",
      path("config/spanker/localhost.toml"));
  EXPECT_EQ(json_of({"plan", "tinyllama-1.1b", "--cluster", "localhost", "--cards", "2"})["cluster"]["cards"],
            2);
}

}  // namespace
}  // namespace spanker
