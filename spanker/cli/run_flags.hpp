#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "spanker/run/token_chooser.hpp"

namespace CLI {
class App;
}

// Internal to this module.
namespace spanker {

struct RunFlags {
  std::string model;
  std::optional<std::string> plan;
  std::optional<std::string> cluster;
  std::optional<std::uint32_t> cards;
  std::string strategy = "auto";
  std::optional<std::string> prompt;
  std::optional<std::string> tokens;
  std::uint64_t generate = 128;
  std::optional<std::uint64_t> context;
  std::string kv_type = "f16";
  std::string link_type = "f32";
  std::size_t threads = 0;
  GenerateOptions options;
  std::optional<std::string> trace;
  std::optional<std::string> record;
  bool json = false;

  std::optional<std::uint32_t> ranks;
  std::optional<std::string> hostfile;
  double timeout_seconds = 10;
  std::string all_reduce = "plan";
  bool restart = false;
  bool launched = false;  ///< a rank that this program started: it is told what to run, and answers in events
};

/// `flags` must live until the command line is parsed.
void add_run_flags(CLI::App& command, RunFlags& flags);

}  // namespace spanker
