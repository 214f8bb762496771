#include <gtest/gtest.h>

#include "spanker/cli/command_line_for_test.hpp"
#include "spanker/cluster/profile.hpp"

namespace spanker {
namespace {

using namespace testing;

TEST(CliProfile, ListsWhatCanBeShown) {
  const Json list = json_of({"profile", "list"});
  std::vector<std::string> names;
  for (const Json& profile : list.front()) names.push_back(profile["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"cloud-c3d-20gbps", "raspberry-pi-4b-gbe", "raspberry-pi-5-gbe",
                                             "sails-rev-a", "sails-rev-a-64b66b", "sails-rev-b-10gbe",
                                             "sails-rev-b-pcie"}));
  const Outcome text = run({"profile", "list"});
  for (const std::string& name : names) {
    EXPECT_NE(text.out.find(name), std::string::npos);
    EXPECT_TRUE(json_of({"profile", "show", name}).contains("name"));
    EXPECT_EQ(json_of({"profile", "check", name}), json_of({"profile", "show", name}));
    EXPECT_EQ(run({"profile", "show", name}).code, ExitCode::kFine);
  }
}

TEST(CliProfile, RefusesANameThatIsNone) {
  for (const char* action : {"show", "check"}) {
    expect_bad_input({"profile", action, "nix"}, "nix: no such cluster profile, wanted ...");
  }
}

TEST(CliProfile, TomlAndJsonTogetherAreNotBoth) {
  const Outcome outcome = run({"profile", "show", "sails-rev-a", "--toml", "--json"});
  if (outcome.code == ExitCode::kFine) {
    object_of(outcome);
  } else {
    EXPECT_EQ(outcome.code, ExitCode::kBadInput);
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(CliInspect, SaysWhatAPresetIs) {
  const Json json = json_of({"inspect", "tinyllama-1.1b", "--quant", "q8_0"});
  EXPECT_EQ(json["model"]["architecture"], "llama");
  EXPECT_EQ(json["model"]["parameters"], 1100048384);
  // 34 bytes for 32 elements of every matrix; 45 norms of 2048 in F32.
  EXPECT_EQ(json["model"]["weight_bytes"], (1100048384 - 45 * 2048) / 32 * 34 + 45 * 2048 * 4);
  EXPECT_NE(run({"inspect", "tinyllama-1.1b"}).out.find("582231168"), std::string::npos);
}

TEST(CliUsage, SaysWhatIsWrong) {
  expect_bad_input({}, "spanker: ...");
  expect_bad_input({"profile"}, "spanker profile: ...");
  expect_bad_input({"plan"}, "spanker plan: MODEL is required");
  expect_bad_input({"inspect"}, "spanker inspect: MODEL is required");
  expect_bad_input({"profile", "show"}, "spanker profile show: NAME is required");
  expect_bad_input({"profile", "check"}, "spanker profile check: FILE is required");
  expect_bad_input({"plan", "tinyllama-1.1b", "--cards"}, "spanker plan: --cards: ...");
  expect_bad_input({"plan", "tinyllama-1.1b", "--cards", "4", "--cards", "5"}, "spanker plan: --cards: ...");
}

TEST(CliUsage, NamesWhatItDoesNotKnow) {
  for (const Arguments& arguments : {Arguments{"plan", "tinyllama-1.1b", "--bogus"},
                                     {"plan", "tinyllama-1.1b", "bogus"},
                                     {"bogus"},
                                     {"--bogus"},
                                     tile("1", "1", "1", "1") + Arguments{"--bogus"},
                                     {"profile", "bogus"},
                                     {"profile", "list", "bogus"},
                                     {"inspect", "tinyllama-1.1b", "--bogus"}}) {
    const Outcome outcome = run(arguments);
    SCOPED_TRACE(shown(arguments));
    EXPECT_EQ(outcome.code, ExitCode::kBadInput);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(is_one_clean_line(outcome.error)) << outcome.error;
    EXPECT_NE(outcome.error.find("bogus"), std::string::npos) << outcome.error;
  }
}

TEST(CliUsage, EscapesControlCharacters) {
  const std::string wrong = "x\x1b[31m\n\ty\x7f";
  const std::string escaped = "x\\x1b[31m\\n\\ty\\x7f";
  for (const Arguments& arguments : {Arguments{"plan", wrong},
                                     {"plan", "./" + wrong},
                                     {"inspect", wrong},
                                     {"plan", "tinyllama-1.1b", "--cluster", wrong},
                                     {"profile", "show", wrong},
                                     {"profile", "check", "./" + wrong},
                                     {"plan", "tinyllama-1.1b", wrong},
                                     {"plan", "tinyllama-1.1b", "--" + wrong},
                                     {"plan", "tinyllama-1.1b", "--cards", wrong},
                                     {"plan", "tinyllama-1.1b", "--strategy", wrong},
                                     {"plan", "tinyllama-1.1b", "--quant", wrong},
                                     {"plan", "tinyllama-1.1b", "--kv-dtype", wrong},
                                     {"tile", "--m", wrong},
                                     tile("1", "1", "1", "1") + Arguments{"--local-bandwidth", wrong}}) {
    const Outcome outcome = run(arguments);
    EXPECT_NE(outcome.code, ExitCode::kFine);
    EXPECT_TRUE(is_one_clean_line(outcome.error)) << outcome.error;
    EXPECT_NE(outcome.error.find(escaped), std::string::npos) << outcome.error;
  }
}

TEST(CliUsage, HelpOfEveryCommandShowsExamples) {
  for (const Arguments& command : {Arguments{},
                                   {"plan"},
                                   {"tile"},
                                   {"profile"},
                                   {"profile", "list"},
                                   {"profile", "show"},
                                   {"profile", "check"},
                                   {"inspect"}}) {
    for (const char* flag : {"--help", "-h"}) {
      const Outcome outcome = run(command + Arguments{flag});
      SCOPED_TRACE(shown(command));
      EXPECT_EQ(outcome.code, ExitCode::kFine);
      EXPECT_EQ(outcome.error, "");
      std::string usage = "Usage: spanker ";
      for (const std::string& word : command) usage += word + " ";
      EXPECT_NE(outcome.out.find(usage), std::string::npos) << outcome.out;
      EXPECT_NE(outcome.out.find("  spanker " + (command.empty() ? "plan" : command.front()) + " "),
                std::string::npos)
          << outcome.out;
    }
  }
}

TEST(CliUsage, SaysItsVersion) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.code, ExitCode::kFine);
  EXPECT_TRUE(outcome.out.starts_with("spanker ")) << outcome.out;
}

TEST(CliUsage, ColoursOnlyWhereAskedTo) {
  for (const Arguments& arguments : {Arguments{"plan", "tinyllama-1.1b"},
                                     {"profile", "list"},
                                     {"inspect", "tinyllama-1.1b"},
                                     tile("1", "5632", "2048", "2")}) {
    EXPECT_EQ(run(arguments).out.find('\x1b'), std::string::npos);
    EXPECT_NE(run_command_line(arguments, Style{true}).out.find("\x1b["), std::string::npos)
        << shown(arguments);
    EXPECT_EQ(run_command_line(arguments + Arguments{"--json"}, Style{true}).out.find('\x1b'),
              std::string::npos);
  }
}

TEST(CliUsage, ExitCodesAreThoseOfTheContract) {
  EXPECT_EQ(static_cast<int>(ExitCode::kFine), 0);
  EXPECT_EQ(static_cast<int>(exit_code_of(ErrorKind::kInfeasible)), 1);
  EXPECT_EQ(static_cast<int>(exit_code_of(ErrorKind::kBadInput)), 2);
  EXPECT_EQ(static_cast<int>(exit_code_of(ErrorKind::kIo)), 3);
  EXPECT_EQ(static_cast<int>(exit_code_of(ErrorKind::kPeerLost)), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kInternal), 4);
}

}  // namespace
}  // namespace spanker
