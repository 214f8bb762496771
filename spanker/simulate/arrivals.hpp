#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/plan/plan.hpp"

namespace spanker {

/// No simulation has more.
inline constexpr std::size_t kMostRequests = 1'000'000;

/// Somebody asks for tokens.
struct Request {
  Seconds at{0};               ///< simulated time since the start, 0 to 1e6
  std::uint64_t prompt = 0;    ///< tokens, 1 or more
  std::uint64_t generate = 0;  ///< tokens, 1 or more; with the prompt's at most the workload's context

  bool operator==(const Request&) const = default;
};

/// Reads requests, schema "spanker.arrivals/1" (docs/fault-files.md), and returns at least one, in the order
/// of their times; those of one time in the file's. Prompt and generate are `workload`'s where the file does
/// not tell them. `workload` is a Problem's. Strict: every error names `where`, the line and the key.
Result<std::vector<Request>> parse_arrivals(std::string_view toml, std::string_view where,
                                            const Workload& workload);

/// The requests that the flag --arrivals describes:
///   all          all of them at the start;
///   every:200ms  the first at the start, the others so long after the one before;
///   poisson:5/s  as a Poisson process of that mean rate, from the start: the gaps before each are
///                independent and distributed exponentially. A seed gives the same times on every machine;
///   a path       (what contains a '/' or ends in ".toml") as parse_arrivals reads it, at most 16 MiB.
/// `count`, 1 to kMostRequests, is how many; absent, as many as `workload` (a Problem's) has streams. A file
/// tells its own number and takes no count. Errors name --arrivals, --requests, or the file.
Result<std::vector<Request>> load_arrivals(const std::string& spec, std::optional<std::uint64_t> count,
                                           std::uint64_t seed, const Workload& workload);

}  // namespace spanker
