#include "spanker/simulate/arrivals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "spanker/base/file.hpp"
#include "spanker/base/format_quantity.hpp"
#include "spanker/base/parse_quantity.hpp"
#include "spanker/base/random.hpp"
#include "spanker/simulate/timed_table.hpp"

namespace spanker {
namespace {

/// Distributed exponentially with mean 1, after von Neumann ("Various techniques used in connection with
/// random digits", 1951): it only compares and adds, so that no library's logarithm has a say in it. A run of
/// falling numbers that starts at x ends after an odd count with probability e^-x; each failure adds 1.
double exponential(SplitMix64& random) {
  for (double whole = 0;; ++whole) {
    const std::uint64_t first = random.next();
    std::uint64_t last = first;
    bool odd = true;
    for (std::uint64_t next = random.next(); next < last; next = random.next()) {
      last = next;
      odd = !odd;
    }
    // The upper 53 bits, as a fraction.
    if (odd) return whole + static_cast<double>(first >> 11) * 0x1p-53;
  }
}

Result<std::vector<Request>> requests_at(const std::vector<Seconds>& times, const Workload& workload) {
  if (!(times.back() <= kLatestTime)) {
    return bad_input("--arrivals", "the last request comes too late",
                     fmt::format("at most {} after the start", format(kLatestTime)), format(times.back()));
  }
  std::vector<Request> requests;
  requests.reserve(times.size());
  for (const Seconds at : times) requests.push_back({at, workload.prompt, workload.generate});
  return requests;
}

Request read_request(const StrictTable& table, const Workload& workload) {
  constexpr std::array<std::string_view, 3> kKeys = {"at", "prompt", "generate"};
  table.allow_only(kKeys);
  Request request{read_at(table), workload.prompt, workload.generate};
  const auto most = static_cast<std::uint32_t>(std::min<std::uint64_t>(workload.context, UINT32_MAX));
  if (table.has("prompt")) request.prompt = table.integer("prompt", 1, most);
  if (table.has("generate")) request.generate = table.integer("generate", 1, most);
  if (request.prompt + request.generate > workload.context) {
    table.fail(table.has("prompt") ? "prompt" : "generate", "more than the context holds",
               fmt::format("prompt and generate of together at most {}", workload.context),
               fmt::format("{} and {}", request.prompt, request.generate));
  }
  return request;
}

Result<std::vector<Request>> load_file(const std::string& spec, std::optional<std::uint64_t> count,
                                       const Workload& workload) {
  if (spec.find('/') == std::string::npos && !spec.ends_with(".toml")) {
    return bad_input("--arrivals", "unknown", "all, every:TIME, poisson:RATE or the path of a TOML file",
                     fmt::format("\"{}\"", spec));
  }
  if (count) {
    return bad_input("--requests", "the file of --arrivals tells how many", "no such flag",
                     std::to_string(*count));
  }
  return read_text_file(spec, kMostTimedFileBytes).and_then([&](const std::string& text) {
    return parse_arrivals(text, spec, workload);
  });
}

/// The rest of `spec` where it starts with `word`.
std::optional<std::string_view> after(std::string_view spec, std::string_view word) {
  if (!spec.starts_with(word)) return std::nullopt;
  return spec.substr(word.size());
}

}  // namespace

Result<std::vector<Request>> parse_arrivals(std::string_view toml, std::string_view where,
                                            const Workload& workload) {
  const auto root = parse_toml(toml, where);
  if (!root) return tl::unexpected(root.error());
  FirstFault fault;
  const StrictTable file(*root, where, "", fault);
  std::vector<Request> requests;
  for (const StrictTable& table : timed_tables(file, "spanker.arrivals/1", "request", kMostRequests)) {
    requests.push_back(read_request(table, workload));
  }
  if (requests.empty()) file.fail("request", "missing", "tables, each headed [[request]]");
  if (fault.error()) return tl::unexpected(*fault.error());
  std::stable_sort(requests.begin(), requests.end(),
                   [](const Request& a, const Request& b) { return a.at < b.at; });
  return requests;
}

Result<std::vector<Request>> load_arrivals(const std::string& spec, std::optional<std::uint64_t> count,
                                           std::uint64_t seed, const Workload& workload) {
  const auto interval = after(spec, "every:");
  const auto rate = after(spec, "poisson:");
  if (spec != "all" && !interval && !rate) return load_file(spec, count, workload);

  const std::uint64_t wanted = count.value_or(workload.streams);
  if (wanted < 1 || wanted > kMostRequests) {
    return bad_input("--requests", "out of range", fmt::format("1 to {}", kMostRequests),
                     std::to_string(wanted));
  }
  std::vector<Seconds> times(wanted, Seconds(0));
  if (interval) {
    const auto seconds = parse_duration(*interval, "--arrivals");
    if (!seconds) return tl::unexpected(seconds.error());
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = static_cast<double>(i) * *seconds;
  } else if (rate) {
    const auto per_second = parse_frequency(*rate, "--arrivals");
    if (!per_second) return tl::unexpected(per_second.error());
    SplitMix64 random(seed);
    Seconds now{0};
    for (Seconds& at : times) at = now += Seconds(exponential(random) / per_second->value);
  }
  return requests_at(times, workload);
}

}  // namespace spanker
