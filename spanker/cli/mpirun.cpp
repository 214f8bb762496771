#include "spanker/cli/mpirun.hpp"

#include <unistd.h>

#include <regex>

namespace spanker {

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
  static const std::regex kKilled(
      R"(.*process rank (\d+) with PID \d+ on node (\S+) exited on (signal \d+ \([^)]*\)).*)");
  const bool is_rule = line.find_first_not_of("- \t\r") == std::string_view::npos;
  if (is_rule) return;
  if (first_.empty()) first_ = line;
  std::match_results<std::string_view::const_iterator> found;
  if (!killed_ && std::regex_match(line.begin(), line.end(), found, kKilled)) {
    killed_ = Killed{static_cast<std::uint32_t>(std::stoul(found[1].str())), found[2].str(), found[3].str()};
  }
}

}  // namespace spanker
