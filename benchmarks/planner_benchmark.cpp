// How long the planner takes: one evaluation of a plan, a search, and the whole program. Prints the tables of
// BENCHMARKS.md.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "must.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/model/load.hpp"
#include "spanker/plan/price.hpp"
#include "spanker/plan/search.hpp"

namespace spanker {
namespace {

Problem problem_of(const char* model, std::uint32_t cards) {
  Cluster cluster = must(with_card_count(must(load_cluster("sails-rev-a")), cards));
  return must(Problem::make(must(load_model(model, std::nullopt)), std::move(cluster), Workload{}));
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Spread {
  double least;
  double median;
  double most;
};

/// After one run that does not count.
Spread spread_of(int runs, const std::function<double()>& seconds) {
  seconds();
  std::vector<double> all;
  for (int run = 0; run < runs; ++run) all.push_back(seconds());
  std::ranges::sort(all);
  return {all.front(), all[all.size() / 2], all.back()};
}

void report_evaluation(const char* model, std::uint32_t cards) {
  const Problem problem = problem_of(model, cards);
  const auto plan = search(problem);
  const ClusterRates rates(problem.cluster, Bound::kValue);
  CollectivePricer links(rates);
  const PassPricer pricer(problem, rates, links, problem.decode());
  constexpr int kTimes = 1000;
  double sum = 0;  // keeps the work from being left out
  const Spread spread = spread_of(9, [&] {
    return seconds_of([&] {
      for (int i = 0; i < kTimes; ++i)
        sum += price_pass(problem, pricer, *plan, nullptr).total().total().count();
    });
  });
  std::printf("| evaluate a plan of %s over %u cards | %.1f us | %.1f us | %.1f us | |\n", model, cards,
              spread.median / kTimes * 1e6, spread.least / kTimes * 1e6, spread.most / kTimes * 1e6);
  if (sum <= 0) std::exit(1);
}

void report_search(const char* model, std::uint32_t cards) {
  const Problem problem = problem_of(model, cards);
  const Spread spread = spread_of(9, [&] { return seconds_of([&] { search(problem); }); });
  std::printf("| search %s over %u cards | %.1f ms | %.1f ms | %.1f ms | |\n", model, cards,
              spread.median * 1e3, spread.least * 1e3, spread.most * 1e3);
}

/// Runs the program with its output thrown away. Seconds, and its peak memory in MB into `peak`.
double run_program(const std::vector<std::string>& arguments, double& peak) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  rusage usage{};
  const double seconds = seconds_of([&] {
    pid_t child = 0;
    int status = 0;
    if (posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ) != 0 ||
        wait4(child, &status, 0, &usage) != child) {
      std::perror("planner_benchmark: cannot run the program");
      std::exit(1);
    }
  });
  posix_spawn_file_actions_destroy(&actions);
  peak = std::max(peak, static_cast<double>(usage.ru_maxrss) * 1024 / 1e6);
  return seconds;
}

void report_program(const std::string& what, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SPANKER_PROGRAM);
  double peak = 0;
  const Spread spread = spread_of(9, [&] { return run_program(arguments, peak); });
  std::printf("| `spanker plan` %s | %.0f ms | %.0f ms | %.0f ms | %.0f MB |\n", what.c_str(),
              spread.median * 1e3, spread.least * 1e3, spread.most * 1e3, peak);
}

int run() {
  std::printf("| what | median | least | most | peak memory |\n|---|---|---|---|---|\n");
  report_evaluation("tinyllama-1.1b", 4);
  report_evaluation("llama-2-70b", 64);
  report_search("tinyllama-1.1b", 4);
  report_search("llama-2-70b", 12);
  report_search("llama-2-70b", 64);
  report_search("llama-2-70b", 512);
  for (const char* cards : {"8", "64", "512"}) {
    report_program(fmt::format("llama-2-70b over {} equal cards", cards),
                   {"plan", "llama-2-70b", "--cards", cards});
  }
  report_program("llama-2-70b over 16 unequal cards",
                 {"plan", "llama-2-70b", "--cluster", SPANKER_BENCHMARKS_DIR "/sixteen-unequal-sails.toml"});
  return 0;
}

}  // namespace
}  // namespace spanker

int main() { return spanker::run(); }
