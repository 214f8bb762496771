#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/plan/problem.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

/// One kind of step in a decoded token: an operator, or what cards exchange vectors for.
struct RunKind {
  std::string_view kind;
  std::size_t times = 0;  ///< a token
  Seconds measured{0};    ///< a token, on average
  std::optional<Seconds> predicted;
};

/// What a run did, and how long it took.
struct RunReport {
  const Problem& problem;
  const Plan& plan;
  std::size_t threads = 0;  ///< of all cards together
  std::uint64_t prompt_tokens = 0;
  std::vector<std::uint32_t> tokens;
  std::optional<std::string> text;  ///< nothing where the file has no tokenizer
  std::string_view ending;          ///< "length", "end_token" or "interrupted"
  Seconds load{0};
  Seconds prefill{0};
  Seconds time_to_first_token{0};  ///< from the prompt, without the load
  Seconds decode{0};
  std::uint64_t decoded = 0;                          ///< tokens in that time: all but the first
  std::optional<Seconds> lateness;                    ///< behind its pace at most; nothing where it has none
  std::optional<double> predicted_tokens_per_second;  ///< nothing where the cluster was made up
  std::uint64_t predicted_context = 0;                ///< that this is for: the mean of the decoded tokens
  std::vector<RunKind> kinds;

  /// Of decode; nothing where there was none.
  std::optional<double> tokens_per_second() const {
    if (decoded == 0 || decode <= Seconds(0)) return std::nullopt;
    return static_cast<double>(decoded) / decode.count();
  }
};

/// One JSON object, `schema` "spanker.run/1".
std::string to_json(const RunReport& report);
/// The tables for people, without the text.
std::string to_text(const RunReport& report, const Style& style);

}  // namespace spanker
