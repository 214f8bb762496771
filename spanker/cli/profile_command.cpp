#include <CLI/CLI.hpp>
#include <memory>

#include "spanker/cli/commands.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/report/cluster_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp = R"(Examples:
  spanker profile list
  spanker profile show sails-rev-a
  spanker profile show sails-rev-a --toml > my-cluster.toml     a start for a profile of your own
  spanker profile check my-cluster.toml)";

struct Flags {
  std::string name;
  bool toml = false;
  bool json = false;
};

Outcome list_profiles(const Flags& flags, const Style& style) {
  std::vector<Cluster> clusters;
  for (const BuiltinProfile& profile : builtin_profiles()) {
    auto cluster = parse_profile(profile.toml, profile.name);
    if (!cluster) return Outcome::failed(cluster.error());
    clusters.push_back(std::move(*cluster));
  }
  return Outcome::fine(flags.json ? list_to_json(clusters) : list_to_text(clusters, style));
}

Outcome show_profile(const Flags& flags, const Style& style) {
  const auto cluster = load_cluster(flags.name);
  if (!cluster) return Outcome::failed(cluster.error());
  if (flags.toml) {
    for (const BuiltinProfile& profile : builtin_profiles()) {
      if (profile.name == flags.name) return Outcome::fine(std::string(profile.toml));
    }
    return Outcome::failed({ErrorKind::kBadInput, "--toml", "only built-in profiles can be printed",
                            "a name from `spanker profile list`", flags.name});
  }
  return Outcome::fine(flags.json ? to_json(*cluster) : to_text(*cluster, style));
}

Outcome check_profile(const Flags& flags, const Style& style) {
  const auto cluster = load_cluster(flags.name);
  if (!cluster) return Outcome::failed(cluster.error());
  return Outcome::fine(flags.json ? to_json(*cluster)
                                  : "no errors in " + flags.name + "\n\n" + to_text(*cluster, style));
}

}  // namespace

void add_profile_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("profile", "List, show or check cluster profiles");
  command->footer(kHelp);
  command->require_subcommand(1);
  auto flags = std::make_shared<Flags>();
  const auto add = [&](const char* name, const char* help, Outcome (*run)(const Flags&, const Style&)) {
    CLI::App* action = command->add_subcommand(name, help);
    action->add_flag("--json", flags->json, "One JSON object instead of a table");
    action->callback([flags, &context, run] { context.outcome = run(*flags, context.style); });
    return action;
  };
  add("list", "The built-in profiles", list_profiles);
  CLI::App* show = add("show", "Every number of a profile, with its range and source", show_profile);
  show->add_option("NAME", flags->name, "Profile name or path to a TOML file")->required();
  show->add_flag("--toml", flags->toml, "The file itself, to start one's own from")
      ->excludes(show->get_option("--json"));
  CLI::App* check = add("check", "Whether a profile can be read, and what is doubtful in it", check_profile);
  check->add_option("FILE", flags->name, "Path to a TOML file, or a profile name")->required();
}

}  // namespace spanker
