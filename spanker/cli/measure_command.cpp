#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/launch.hpp"
#include "spanker/cli/rank_session.hpp"
#include "spanker/cli/today.hpp"
#include "spanker/cli/whole_number.hpp"
#include "spanker/cluster/localhost.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/measure/measure_machine.hpp"
#include "spanker/report/measure_report.hpp"
#include "spanker/run/agree.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp =
    R"(Times memory, kernels, links, and whole tokens of three synthetic models, and fits a profile to them: about a minute.
Without --out the profile becomes `localhost`, which `spanker run` then compares with. Cards and threads are measured as
they will be used: a card of two threads is another one than two cards of one.

Examples:
  spanker measure                                  this machine as one card of all its threads
  spanker measure --threads 1 --out one.toml
  spanker measure --ranks 2 --threads 2 --out two.toml && spanker run m.gguf --cluster two.toml --ranks 2 --prompt x
  spanker measure --ranks 4 --hostfile hosts --out shelf.toml)";

struct Flags {
  std::uint32_t cards = 1;
  std::optional<std::uint32_t> ranks;
  std::optional<std::string> hostfile;
  std::size_t threads = 0;
  std::optional<std::string> out;
  double timeout_seconds = 30;
  bool force = false;
  bool json = false;
  bool launched = false;
};

/// A spread of the blocks above which their mean means little: with six of them it is good for about 5 %.
constexpr double kMostSpread = 0.25;
/// How far off the fitted card may be from what it was fitted to.
constexpr double kMostResidual = 0.10;

/// A folder for models, which goes with all that is in it.
class Scratch {
 public:
  Scratch() : path_(std::filesystem::temp_directory_path() / fmt::format("spanker-measure-{}", ::getpid())) {
    std::error_code ignored;
    std::filesystem::create_directories(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

Failure refused(std::string what, std::string wanted, std::string got) {
  return Failure(
      Error{ErrorKind::kInfeasible, "measure", std::move(what), std::move(wanted), std::move(got)});
}

Result<void> check_idle(const Flags& flags) {
  const double most = 0.5 * static_cast<double>(this_machine().hardware_threads);
  const double load = machine_load();
  if (flags.force || load <= most) return {};
  return refused("the machine is busy, and what is measured would mean little",
                 fmt::format("a load of at most {:.1f}, or --force", most), fmt::format("{:.2f}", load));
}

Result<void> check_sense(const Flags& flags, const MachineMeasurement& measured) {
  if (flags.force) return {};
  if (measured.spread() > kMostSpread) {
    return refused("tokens of the same model take longer at one time than at another",
                   fmt::format("at most {:.0f} %, or --force", 100 * kMostSpread),
                   fmt::format("{:.0f} %", 100 * measured.spread()));
  }
  if (measured.card.worst_residual > kMostResidual) {
    return refused("no card explains what was measured",
                   fmt::format("within {:.0f} %, or --force", 100 * kMostResidual),
                   fmt::format("{:.0f} %", 100 * measured.card.worst_residual));
  }
  return {};
}

Result<std::string> path_of(const Flags& flags) {
  if (flags.out) return *flags.out;
  const auto path = localhost_profile_path();
  if (!path) {
    return bad_input("measure", "does not know where to keep the profile of this machine", "--out FILE",
                     "neither XDG_CONFIG_HOME nor HOME");
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(*path).parent_path(), error);
  return *path;
}

/// What is said of a measurement once it makes sense and its profile is written.
Result<Outcome> finished(const Flags& flags, const MachineMeasurement& measured, const Style& style) {
  if (auto sense = check_sense(flags, measured); !sense) return Failure(sense.error());
  const auto path = path_of(flags);
  if (!path) return Failure(path.error());
  if (auto written = write_profile(*path, measured.cluster); !written) return Failure(written.error());
  if (flags.json) return Outcome::fine(to_json(measured));
  return Outcome::fine(to_text(measured, style) + fmt::format("\nProfile written to {}\n", *path));
}

MeasureOptions options_of(const Scratch& scratch, ProgressBar& bar, const InterruptWatch& watch) {
  MeasureOptions options;
  options.folder = scratch.path();
  options.today = today();
  options.progress = [&](std::uint64_t done, std::uint64_t total, std::string_view what) {
    bar.update(done, total, fmt::format("steps: {}", what));
    return !watch.interrupted();
  };
  return options;
}

Outcome measure_in_process(const Flags& flags, const CommandContext& context) {
  if (auto idle = check_idle(flags); !idle) return Outcome::failed(idle.error());
  const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t threads =
      std::max<std::size_t>(flags.threads > 0 ? flags.threads : processors, flags.cards);
  LocalWorkbench bench(flags.cards, threads);
  const Scratch scratch;
  const auto measured = [&] {
    const InterruptWatch watch;
    ProgressBar bar(context.progress);
    return measure_machine(bench, options_of(scratch, bar, watch));
  }();
  if (!measured) return Outcome::failed(measured.error());
  auto outcome = finished(flags, **measured, context.style);
  return outcome ? *outcome : Outcome::failed(outcome.error());
}

std::string line_of(const Machine& machine) {
  return fmt::format("{}\n{}", machine.host, machine.memory.value);
}

Machine machine_from(const std::string& text) {
  Machine machine;
  const std::size_t end = text.find('\n');
  machine.host = text.substr(0, end);
  if (end != std::string::npos) machine.memory = Bytes(std::strtoull(text.c_str() + end, nullptr, 10));
  return machine;
}

Result<Outcome> measure_ranks(const Flags& flags, const RankPlace& place, Endpoint& endpoint,
                              const RankVoice& voice) {
  Result<std::string> own = line_of(this_machine());
  if (auto idle = check_idle(flags); !idle) own = Failure(idle.error());
  const auto all = agree(endpoint, own);
  if (!all) return Failure(all.error());
  MeasureOptions options;
  StartedEvent started;
  for (const std::string& text : *all) {
    options.machines.push_back(machine_from(text));
    started.hosts.push_back(options.machines.back().host);
  }
  if (place.rank == 0) voice.tell(started);
  const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t threads =
      std::max<std::size_t>(1, flags.threads > 0 ? flags.threads / place.size : processors / place.on_host);
  RankWorkbench bench(endpoint, threads, place.on_host);
  const Scratch scratch;
  options.folder = scratch.path();
  options.today = today();
  auto measured = measure_machine(bench, options);
  Result<std::string> fine;
  if (!measured) fine = Failure(measured.error());
  if (auto agreed = agree(endpoint, fine); !agreed) return Failure(agreed.error());
  if (!*measured) return Outcome::fine({});
  return finished(flags, **measured, voice.style());
}

Outcome launch_measure(const Flags& flags, const CommandContext& context) {
  std::vector<std::string> words = {this_program(), "measure", "--launched", "--timeout",
                                    fmt::format("{}", flags.timeout_seconds)};
  if (flags.threads > 0) words.insert(words.end(), {"--threads", std::to_string(flags.threads)});
  if (flags.out) words.insert(words.end(), {"--out", std::filesystem::absolute(*flags.out).string()});
  if (flags.force) words.push_back("--force");
  if (flags.json) words.push_back("--json");
  MpirunRequest request;
  request.ranks = *flags.ranks;
  request.hostfile = flags.hostfile;
  const InterruptWatch watch;
  auto launched = launch({request, words, {}, Seconds(flags.timeout_seconds)}, context, watch);
  if (!launched) return Outcome::failed(launched.error());
  return *launched->outcome;
}

Outcome measure(const Flags& flags, const CommandContext& context) {
  if (flags.ranks) return launch_measure(flags, context);
  if (const auto place = rank_place()) {
    const RankSession session{*place, flags.launched, Seconds(flags.timeout_seconds)};
    return as_rank(session, context, [&](RankProcess&, Endpoint& endpoint, const RankVoice& voice) {
      return measure_ranks(flags, *place, endpoint, voice);
    });
  }
  return measure_in_process(flags, context);
}

}  // namespace

void add_measure_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("measure", "Measure this machine, or several, and write a profile");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  CLI::Option* cards =
      command->add_option("--cards", flags->cards, "Cards of this process to measure together")
          ->check(whole_number(64))
          ->capture_default_str();
  CLI::Option* ranks =
      command->add_option("--ranks", flags->ranks, "Measure cards that are processes, started by mpirun")
          ->check(whole_number(UINT32_MAX))
          ->excludes(cards);
  command->add_option("--hostfile", flags->hostfile, "With --ranks: mpirun's file of hosts")->needs(ranks);
  command
      ->add_option("--threads", flags->threads,
                   "Threads of all cards together (default: as many as there are)")
      ->check(whole_number(1024));
  command->add_option("--out", flags->out, "Profile to write (default: that of localhost)");
  command
      ->add_option("--timeout", flags->timeout_seconds,
                   "Seconds after which a rank that is not heard of is given up")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  command->add_flag("--force", flags->force,
                    "Even if the machine is busy or what was measured makes little sense");
  command->add_flag("--json", flags->json, "One JSON object instead of tables");
  command->add_flag("--launched", flags->launched)->group("");
  command->callback([flags, &context] { context.outcome = measure(*flags, context); });
}

}  // namespace spanker
