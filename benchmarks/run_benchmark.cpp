#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/random.hpp"
#include "spanker/comm/communicator.hpp"
#include "spanker/comm/rank_process.hpp"
#include "spanker/kernels/read_bandwidth.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/run/generate.hpp"
#include "spanker/run/machine_cluster.hpp"
#include "spanker/run/rank_cards.hpp"

// How fast cards of one process, and cards that are MPI ranks, run a model on this machine, beside how fast
// the machine reads memory at that time. A virtual machine's cores share a physical one at one time and not
// at another, and read half as fast again where they do not. So reading and decoding take turns, and what
// counts is the quotient of neighbours.

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kRounds = 11;
constexpr std::uint64_t kDecoded = 24;
/// Two threads', whatever the case but one thread.
constexpr std::uint64_t kReadBytes = std::uint64_t{512} << 20;

struct Case {
  const char* name;
  std::uint32_t cards;
  std::size_t threads;
  std::uint64_t prompt;
};

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", to_line(result.error()).c_str());
    std::exit(1);
  }
  return std::move(*result);
}

/// The most memory that this process has had since the last reset, files that are mapped included.
Bytes peak_memory_since_reset() {
  std::ifstream file("/proc/self/status");
  std::uint64_t kibibytes = 0;
  for (std::string key; file >> key; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
    if (key == "VmHWM:" && file >> kibibytes) break;
  }
  return Bytes(kibibytes * 1024);
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

double bandwidth_of(std::size_t threads) {
  return must(read_bandwidth(static_cast<unsigned>(threads), Bytes(kReadBytes), 5)).value;
}

struct Task {
  Problem problem;
  Plan plan;
};

Task task_of(const ModelFile& file, const Case& what) {
  Workload workload;
  workload.prompt = what.prompt;
  workload.generate = kDecoded + 1;
  workload.context = 512;
  Problem problem =
      must(Problem::make(file.model, unmeasured_machine(what.cards, available_memory()), workload));
  const PlanStrategy strategy = what.cards == 1 ? PlanStrategy::kSingleCard : PlanStrategy::kTensorParallel;
  Plan plan = search(problem, StrategySet::only(strategy)).value();
  return {std::move(problem), std::move(plan)};
}

std::vector<std::uint32_t> random_prompt(const Task& task) {
  SplitMix64 random(1);
  std::vector<std::uint32_t> prompt;
  for (std::uint64_t i = 0; i < task.problem.workload.prompt; ++i) {
    prompt.push_back(static_cast<std::uint32_t>(random.next() % task.problem.model.shape.vocab_size));
  }
  return prompt;
}

const TokenCallback goes_on = [](std::uint32_t, std::uint64_t) { return true; };

struct Spread {
  double median;
  double least;
  double most;
};

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values[values.size() / 2], values.front(), values.back()};
}

void print_head() {
  fmt::print(
      "| case | prompt | prefill, tokens/s | first token, from start | decode, tokens/s | machine reads, "
      "GB/s "
      "| weights read at, of that | least | most | peak memory / (weights + cache) |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
}

/// `generate` runs the task once, `read` says how fast the machine reads now.
void print_row(const Case& what, const Task& task, Seconds load, const std::function<RunTimes()>& generate,
               const std::function<double()>& read, const std::function<Bytes()>& peak) {
  std::vector<double> decode;
  std::vector<double> prefill;
  std::vector<double> reads = {read()};
  std::vector<double> quotients;
  Seconds first_token{0};
  const auto weights = static_cast<double>(decode_weight_bytes(task.problem.model).value);
  reset_peak_memory();
  Bytes most;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    const RunTimes times = generate();
    if (round == 0) {
      first_token = load + times.time_to_first_token;
      most = peak();
    }
    decode.push_back(static_cast<double>(times.decoded) / times.decode.count());
    prefill.push_back(static_cast<double>(what.prompt) / times.prefill.count());
    reads.push_back(read());
    const double around = (reads[round] + reads[round + 1]) / 2;
    quotients.push_back(decode.back() * weights / around);
  }
  const Spread quotient = spread_of(quotients);
  const Bytes needed = weight_bytes(task.problem.model) +
                       kv_bytes_per_token(task.problem.model.shape, task.problem.workload.kv_type) *
                           task.problem.workload.context;
  fmt::print("| {} | {} | {:.0f} | {} | {:.1f} | {:.1f} | {:.0f} % | {:.0f} % | {:.0f} % | {} |\n", what.name,
             what.prompt, spread_of(prefill).median, format(first_token), spread_of(decode).median,
             spread_of(reads).median / 1e9, 100 * quotient.median, 100 * quotient.least, 100 * quotient.most,
             most.value == 0 ? ""
                             : fmt::format("{:.3f}", static_cast<double>(most.value) /
                                                         static_cast<double>(needed.value)));
  std::fflush(stdout);
}

/// Cards of this process.
void run_case(const std::string& path, const Case& what) {
  reset_peak_memory();
  const auto start = Clock::now();
  const ModelFile file = must(ModelFile::open(path));
  const Task task = task_of(file, what);
  const auto cards = must(load_cards(file, task.problem, task.plan, what.threads, available_memory()));
  const Seconds load = Clock::now() - start;
  const Bytes loaded = peak_memory_since_reset();
  const auto prompt = random_prompt(task);
  const auto run = [&] {
    return must(generate(file, task.problem, task.plan, cards, prompt, {}, nullptr, goes_on)).times;
  };
  print_row(
      what, task, load, run, [&] { return bandwidth_of(what.threads); },
      [&] { return std::max(loaded, peak_memory_since_reset()); });
}

[[noreturn]] void give_up(const Error& error, std::optional<std::uint32_t>) {
  std::fprintf(stderr, "%s\n", to_line(error).c_str());
  std::_Exit(3);
}

/// This rank's part of the case of so many cards. While rank 0 reads, the others wait.
void run_rank(const std::string& path, const RankPlace& place) {
  const std::string name = fmt::format("{} ranks of one thread", place.size);
  const Case what{name.c_str(), place.size, 2, 8};
  const auto process = must(join_ranks({.timeout = kDefaultTimeout, .give_up = give_up}));
  {
    Endpoint endpoint(process->make_transport(may_spin(place.size) ? kExchangeSpin : Seconds(0)));
    Communicator all(endpoint);
    const auto start = Clock::now();
    const ModelFile file = must(ModelFile::open(path));
    const Task task = task_of(file, what);
    const auto card = must(load_rank_card(file, task.problem, task.plan, endpoint, 1, 0));
    const Seconds load = Clock::now() - start;
    const auto prompt = random_prompt(task);
    const auto run = [&] {
      auto chooser = must(TokenChooser::make({}, kDecoded + 1, nullptr, goes_on));
      const auto next = [&](std::span<const float> logits) { return chooser.next(logits); };
      auto times = must(run_rank_card(file, task.problem, task.plan, card.get(), endpoint, prompt, next, {}));
      return times ? std::move(*times) : RunTimes{};
    };
    const auto read = [&] {
      const double bandwidth = place.rank == 0 ? bandwidth_of(what.threads) : 0;
      if (auto met = all.barrier(); !met) must<int>(Failure(met.error()));
      return bandwidth;
    };
    if (place.rank == 0) {
      print_row(what, task, load, run, read, [] { return Bytes(0); });
    } else {
      read();
      for (std::uint64_t round = 0; round < kRounds; ++round) {
        run();
        read();
      }
    }
  }
  process->leave();
}

}  // namespace
}  // namespace spanker

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: run_benchmark MODEL.gguf\n");
    return 2;
  }
  if (const auto place = spanker::rank_place()) {
    spanker::run_rank(argv[1], *place);
    return 0;
  }
  spanker::print_head();
  const spanker::Case cases[] = {
      {"one thread", 1, 1, 8},
      {"two threads", 1, 2, 8},
      {"two cards of one thread", 2, 2, 8},
      {"two threads", 1, 2, 256},
      {"two cards of one thread", 2, 2, 256},
  };
  for (const spanker::Case& each : cases) spanker::run_case(argv[1], each);
  for (const int ranks : {2, 4}) {
    const std::string command =
        fmt::format("env {} mpirun -n {} '{}' '{}'", SPANKER_MPIRUN_ENVIRONMENT, ranks, argv[0], argv[1]);
    if (std::system(command.c_str()) != 0) return 1;
  }
}
