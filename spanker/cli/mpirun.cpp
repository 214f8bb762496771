#include "spanker/cli/mpirun.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace spanker {
namespace {

/// What lies between two words, and nothing where they are not there. `line` then goes on behind the second.
std::string_view cut_between(std::string_view& line, std::string_view before, std::string_view behind) {
  const std::size_t start = line.find(before);
  const std::size_t end = line.find(behind, start);
  if (start == std::string_view::npos || end == std::string_view::npos) return {};
  const std::string_view found = line.substr(start + before.size(), end - start - before.size());
  line.remove_prefix(end + behind.size());
  return found;
}

/// "... process rank 1 with PID 0 on node left exited on signal 9 (Killed)."
std::optional<MpirunComplaint::Killed> killed_in(std::string_view line) {
  const std::string_view digits = cut_between(line, "process rank ", " with PID ");
  const std::string_view host = cut_between(line, " on node ", " exited on ");
  const std::string_view signal = line.substr(0, line.find(')'));
  std::uint32_t rank = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
  const bool is_rank = error == std::errc{} && end == digits.data() + digits.size();
  if (!is_rank || host.empty() || !signal.starts_with("signal ")) return std::nullopt;
  return MpirunComplaint::Killed{rank, std::string(host), std::string(signal) + ")"};
}

}  // namespace

std::vector<std::string> mpirun_words(const MpirunRequest& request) {
  std::vector<std::string> words = {"mpirun", "-n", std::to_string(request.ranks)};
  if (!request.hosts.empty()) {
    std::string list;
    for (const std::string& host : request.hosts) list += (list.empty() ? "" : ",") + host;
    words.insert(words.end(), {"--host", list});
  } else if (request.hostfile) {
    words.insert(words.end(), {"--hostfile", *request.hostfile});
  }
  return words;
}

ChildProcess::Environment mpirun_environment(bool wants_colour) {
  ChildProcess::Environment environment = {{"OMPI_MCA_rmaps_base_oversubscribe", "1"},
                                           {"OMPI_MCA_hwloc_base_binding_policy", "none"}};
  if (::geteuid() == 0) {
    environment.emplace_back("OMPI_ALLOW_RUN_AS_ROOT", "1");
    environment.emplace_back("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
  }
  if (!wants_colour) environment.emplace_back("NO_COLOR", "1");
  return environment;
}

void MpirunComplaint::add(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  line = line.substr(0, line.find_last_not_of(kBlank) + 1);
  const bool is_rule = line.find_first_not_of('-') == std::string_view::npos;
  if (is_rule) return;
  if (first_.empty()) {
    first_ = line;
  } else if (first_.ends_with(':')) {
    first_ += " " + std::string(line);
  }
  if (!killed_) killed_ = killed_in(line);
}

}  // namespace spanker
