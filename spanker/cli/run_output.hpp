#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "spanker/cli/command.hpp"
#include "spanker/cli/run_task.hpp"
#include "spanker/run/run_cards.hpp"
#include "spanker/run/token_chooser.hpp"
#include "spanker/tokenizer/text_stream.hpp"

// Internal to this module.
namespace spanker {

/// The text of the tokens as they come.
class Speaker {
 public:
  /// Continues prompt and `said_before`, of which the latter is part of text(). Without a tokenizer nothing
  /// is said.
  Speaker(const std::optional<Tokenizer>& tokenizer, std::span<const std::uint32_t> prompt,
          std::span<const std::uint32_t> said_before, TextOutput output);

  void say(std::uint32_t token);
  void finish();
  /// Nothing where there is no tokenizer.
  std::optional<std::string> text() const;

 private:
  void add(const std::string& piece);

  std::optional<TextStream> stream_;
  std::string text_;
  TextOutput output_;
};

struct FinishedRun {
  std::size_t threads = 0;  ///< of all cards together
  std::uint64_t prompt_tokens = 0;
  std::vector<std::uint32_t> tokens;
  std::optional<std::string> text;
  Ending ending = Ending::kLength;
  Seconds load{0};
  RunTimes times;
};

struct RunOutput {
  bool json = false;
  bool is_paced = false;
  std::string model;                  ///< its path
  std::optional<std::string> trace;   ///< path of the file to write
  std::optional<std::string> record;  ///< path of the runs file to add the run to
};

/// The report of a run, behind its text, which is said already.
Outcome run_outcome(const RunTask& task, const FinishedRun& run, const RunOutput& output, const Style& style);

}  // namespace spanker
