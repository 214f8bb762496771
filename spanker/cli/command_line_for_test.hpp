#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "spanker/cli/command.hpp"

/// What the tests of the command line ask of it.
namespace spanker::testing {

using Json = nlohmann::json;
using Arguments = std::vector<std::string>;

inline Outcome run(const Arguments& arguments) { return run_command_line(arguments, Style{}); }

inline Arguments operator+(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

inline std::string shown(const Arguments& arguments) {
  std::string line = "spanker";
  for (const std::string& argument : arguments) line += " \"" + argument + "\"";
  return line;
}

/// Exactly one JSON object and nothing beside it.
inline Json object_of(const Outcome& outcome) {
  const Json json = Json::parse(outcome.out, nullptr, false);
  EXPECT_TRUE(json.is_object()) << outcome.out;
  return json;
}

inline Json json_of(const Arguments& arguments) {
  const Outcome outcome = run(arguments + Arguments{"--json"});
  EXPECT_EQ(outcome.code, ExitCode::kFine) << shown(arguments) << ": " << outcome.error;
  EXPECT_EQ(outcome.error, "");
  return object_of(outcome);
}

inline bool is_one_clean_line(const std::string& text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

/// Nothing on stdout, one line on stderr that is, or (where it ends in "...") starts with, `line`.
inline void expect_error(const Arguments& arguments, ExitCode code, const std::string& line) {
  SCOPED_TRACE(shown(arguments));
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.code, code);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(is_one_clean_line(outcome.error)) << outcome.error;
  if (line.ends_with("...")) {
    const std::string start = line.substr(0, line.size() - 3);
    EXPECT_EQ(outcome.error.substr(0, start.size()), start) << outcome.error;
  } else {
    EXPECT_EQ(outcome.error, line);
  }
}

inline void expect_bad_input(const Arguments& arguments, const std::string& line) {
  expect_error(arguments, ExitCode::kBadInput, line);
}

inline Arguments tile(const std::string& m, const std::string& n, const std::string& k,
                      const std::string& bytes, const std::string& sails = "4") {
  return {"tile", "--m", m, "--n", n, "--k", k, "--bytes-per-element", bytes, "--sails", sails};
}

}  // namespace spanker::testing
