#include "spanker/cli/mpirun.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace spanker {
namespace {

using Words = std::vector<std::string>;

TEST(Mpirun, Words) {
  EXPECT_EQ(mpirun_words({.ranks = 4, .hostfile = {}, .hosts = {}}), (Words{"mpirun", "-n", "4"}));
  EXPECT_EQ(mpirun_words({.ranks = 2, .hostfile = "my hosts", .hosts = {}}),
            (Words{"mpirun", "-n", "2", "--hostfile", "my hosts"}));
}

TEST(Mpirun, HostsTakeThePlaceOfTheirFile) {
  EXPECT_EQ(mpirun_words({.ranks = 3, .hostfile = "hosts", .hosts = {"a", "b", "a"}}),
            (Words{"mpirun", "-n", "3", "--host", "a,b,a"}));
}

TEST(Mpirun, EnvironmentAllowsMoreRanksThanCoresAndRootAlone) {
  const auto environment = mpirun_environment(false);
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(environment,
                               [&](const auto& each) { return each.first == name && each.second != ""; });
  };
  EXPECT_TRUE(has("OMPI_MCA_rmaps_base_oversubscribe"));
  EXPECT_EQ(has("OMPI_ALLOW_RUN_AS_ROOT"), ::geteuid() == 0);
  EXPECT_EQ(has("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"), ::geteuid() == 0);
}

MpirunComplaint complaint_of(std::string_view text) {
  MpirunComplaint complaint;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    complaint.add(text.substr(start, end - start));
    start = end + 1;
  }
  return complaint;
}

// What mpirun of Open MPI 4.1.4 said of `mpirun -n 2` whose rank 1, or rank 0, killed itself.

TEST(MpirunComplaint, TellsWhichRankASignalEnded) {
  const auto complaint = complaint_of(
      R"(--------------------------------------------------------------------------
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
--------------------------------------------------------------------------
--------------------------------------------------------------------------
mpirun noticed that process rank 1 with PID 0 on node left exited on signal 9 (Killed).
--------------------------------------------------------------------------
)");
  ASSERT_TRUE(complaint.killed().has_value());
  EXPECT_EQ(complaint.killed()->rank, 1u);
  EXPECT_EQ(complaint.killed()->host, "left");
  EXPECT_EQ(complaint.killed()->signal, "signal 9 (Killed)");
  EXPECT_EQ(complaint.first(), "Primary job  terminated normally, but 1 process returned");
}

TEST(MpirunComplaint, TheFirstThatWasKilledCounts) {
  const auto complaint = complaint_of(
      "mpirun noticed that process rank 0 with PID 4711 on node a.example exited on signal 11 (Segmentation "
      "fault).\n"
      "mpirun noticed that process rank 1 with PID 4712 on node b.example exited on signal 9 (Killed).\n");
  ASSERT_TRUE(complaint.killed().has_value());
  EXPECT_EQ(complaint.killed()->rank, 0u);
  EXPECT_EQ(complaint.killed()->host, "a.example");
  EXPECT_EQ(complaint.killed()->signal, "signal 11 (Segmentation fault)");
}

TEST(MpirunComplaint, ARankThatEndsByItselfIsNotKilled) {
  const auto complaint = complaint_of(
      R"(--------------------------------------------------------------------------
mpirun detected that one or more processes exited with non-zero status, thus causing
the job to be terminated. The first process to do so was:

  Process name: [[7536,1],1]
  Exit code:    3
--------------------------------------------------------------------------
)");
  EXPECT_FALSE(complaint.killed().has_value());
  EXPECT_EQ(complaint.first(),
            "mpirun detected that one or more processes exited with non-zero status, thus causing");
}

TEST(MpirunComplaint, WhatSshSaysComesFirst) {
  const auto complaint = complaint_of(
      "ssh: Could not resolve hostname nosuchhost: Name or service not known\r\n"
      R"(--------------------------------------------------------------------------
ORTE was unable to reliably start one or more daemons.
)");
  EXPECT_FALSE(complaint.killed().has_value());
  EXPECT_EQ(complaint.first(), "ssh: Could not resolve hostname nosuchhost: Name or service not known");
}

TEST(MpirunComplaint, WhatStandsBehindAColonComesToo) {
  const auto complaint = complaint_of(
      R"(--------------------------------------------------------------------------
Open RTE was unable to open the hostfile:
    /no/such
Check to make sure the path and filename are correct.
--------------------------------------------------------------------------
)");
  EXPECT_EQ(complaint.first(), "Open RTE was unable to open the hostfile: /no/such");
}

TEST(MpirunComplaint, HostileLines) {
  EXPECT_FALSE(complaint_of("").killed().has_value());
  EXPECT_EQ(complaint_of("\n\n   \n-----\n").first(), "");
  // Not a rank that there can be.
  for (const char* rank : {"", "-1", "x", "4294967296", "99999999999999999999999999"}) {
    const auto complaint = complaint_of("mpirun noticed that process rank " + std::string(rank) +
                                        " with PID 0 on node a exited on signal 9 (Killed).");
    EXPECT_FALSE(complaint.killed().has_value()) << rank;
  }
  EXPECT_FALSE(complaint_of(std::string(1'000'000, 'x')).killed().has_value());
}

}  // namespace
}  // namespace spanker
