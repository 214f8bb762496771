#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "must.hpp"
#include "spanker/base/format_quantity.hpp"
#include "spanker/base/random.hpp"
#include "spanker/comm/rank_process.hpp"
#include "spanker/kernels/read_bandwidth.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/run/machine_cluster.hpp"
#include "spanker/run/rank_cards.hpp"

// How fast cards of one process, and cards that are MPI ranks, run a model on this machine, beside how fast
// the machine reads memory at that time. A virtual machine's cores share a physical one at one time and not
// at another, and read half as fast again where they do not. So reading and decoding take turns, several
// times a second, and what counts is the quotient of neighbours.

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLoads = 3;
constexpr int kRuns = 3;
constexpr std::uint64_t kTurns = 15;     ///< of a run
constexpr std::uint64_t kDecoded = 6;    ///< tokens of a turn that count
constexpr std::uint64_t kOfATurn = 8;    ///< the first one wakes up who waited
constexpr Seconds kBeforeReading{5e-3};  ///< until those who wait sleep
constexpr Bytes kReadBytes(std::uint64_t{512} << 20);

struct Case {
  const char* name;
  std::uint32_t cards;
  std::size_t threads;
  std::uint64_t prompt;
};

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

struct Task {
  Problem problem;
  Plan plan;
};

Task task_of(const ModelFile& file, const Case& what) {
  Workload workload;
  workload.prompt = what.prompt;
  workload.generate = kTurns * kOfATurn + 1;
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

struct Spread {
  double lower;  ///< a quarter is below
  double median;
  double upper;  ///< a quarter is above
};

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values[values.size() / 4], values[values.size() / 2], values[values.size() * 3 / 4]};
}

void print_head() {
  fmt::print(
      "| case | prompt | prefill, tokens/s | first token, from start | decode, tokens/s | machine reads, "
      "GB/s "
      "| weights read at, of that | lower quarter | upper quarter | peak memory / (weights + cache) |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
}

/// Chooses tokens of no meaning, and between them lets the machine read.
class Turns {
 public:
  Turns(const Task& task, std::size_t threads)
      : vocabulary_(task.problem.model.shape.vocab_size),
        tokens_(task.problem.workload.generate),
        weights_(static_cast<double>(decode_weight_bytes(task.problem.model).value)),
        reader_(must(MemoryReader::make(static_cast<unsigned>(threads), kReadBytes))) {}

  std::optional<std::uint32_t> next() {
    const auto now = Clock::now();
    const std::uint64_t in_turn = made_ % kOfATurn;
    if (in_turn == kOfATurn - 1) {
      decode.push_back(static_cast<double>(kDecoded) / Seconds(now - start_).count());
    }
    if (in_turn == 0) {
      std::this_thread::sleep_for(kBeforeReading);
      reads.push_back(must(reader_.pass()).value);
      if (made_ > 0) {
        const double around = (reads.back() + reads[reads.size() - 2]) / 2;
        quotients.push_back(decode.back() * weights_ / around);
      }
    }
    if (++made_ == tokens_) {
      made_ = 0;
      return std::nullopt;
    }
    if (in_turn == 1) start_ = Clock::now();
    return static_cast<std::uint32_t>(made_ * 7919 % vocabulary_);
  }

  std::vector<double> decode;  ///< tokens a second
  std::vector<double> reads;   ///< bytes a second
  std::vector<double> quotients;

 private:
  std::uint64_t vocabulary_;
  std::uint64_t tokens_;
  double weights_;
  MemoryReader reader_;
  std::uint64_t made_ = 0;
  Clock::time_point start_;
};

/// `generate` runs the task once.
void print_row(const Case& what, const Task& task, Seconds load, Turns& turns,
               const std::function<RunTimes()>& generate, std::optional<Bytes> peak) {
  std::vector<double> prefill;
  std::vector<double> first_token;
  for (int run = 0; run < kRuns; ++run) {
    const RunTimes times = generate();
    prefill.push_back(static_cast<double>(what.prompt) / times.prefill.count());
    first_token.push_back((load + times.prefill).count());
  }
  const Spread quotient = spread_of(turns.quotients);
  const Bytes needed = weight_bytes(task.problem.model) +
                       kv_bytes_per_token(task.problem.model.shape, task.problem.workload.kv_type) *
                           task.problem.workload.context;
  fmt::print("| {} | {} | {:.0f} | {} | {:.1f} | {:.1f} | {:.0f} % | {:.0f} % | {:.0f} % | {} |\n", what.name,
             what.prompt, spread_of(prefill).median, format(Seconds(spread_of(first_token).median)),
             spread_of(turns.decode).median, spread_of(turns.reads).median / 1e9, 100 * quotient.median,
             100 * quotient.lower, 100 * quotient.upper,
             peak
                 ? fmt::format("{:.3f}", static_cast<double>(peak->value) / static_cast<double>(needed.value))
                 : "");
  std::fflush(stdout);
}

/// Cards of this process.
void run_case(const std::string& path, const Case& what) {
  const ModelFile file = must(ModelFile::open(path));
  const Task task = task_of(file, what);
  std::vector<std::unique_ptr<Card>> cards;
  std::vector<double> loads;
  for (int i = 0; i < kLoads; ++i) {
    cards.clear();
    reset_peak_memory();
    const auto start = Clock::now();
    const ModelFile again = must(ModelFile::open(path));
    cards = must(load_cards(again, task.problem, task.plan, what.threads, available_memory()));
    loads.push_back(Seconds(Clock::now() - start).count());
  }
  const Seconds load(spread_of(loads).median);
  const Bytes loaded = peak_memory_since_reset();
  const auto prompt = random_prompt(task);
  const auto run = [&](const NextToken& next) {
    return must(run_cards(file, task.problem, task.plan, cards, prompt, next));
  };
  int made = 0;
  run([&](std::span<const float>) { return ++made < 3 ? std::optional(std::uint32_t{1}) : std::nullopt; });
  const Bytes peak = std::max(loaded, peak_memory_since_reset());  // without what is read
  Turns turns(task, what.threads);
  print_row(
      what, task, load, turns, [&] { return run([&](std::span<const float>) { return turns.next(); }); },
      peak);
}

[[noreturn]] void give_up(const Error& error, std::optional<std::uint32_t>) {
  std::fprintf(stderr, "%s\n", to_line(error).c_str());
  std::_Exit(3);
}

/// This rank's part of the case of so many cards. Only rank 0 chooses tokens, and so reads.
void run_rank(const std::string& path, const RankPlace& place) {
  const std::string name = fmt::format("{} ranks of one thread", place.size);
  const Case what{name.c_str(), place.size, 2, 8};
  const auto process = must(join_ranks({.timeout = kDefaultTimeout, .give_up = give_up}));
  {
    Endpoint endpoint(process->make_transport(may_spin(place.size) ? kExchangeSpin : Seconds(0)));
    const auto start = Clock::now();
    const ModelFile file = must(ModelFile::open(path));
    const Task task = task_of(file, what);
    const auto card = must(load_rank_card(file, task.problem, task.plan, endpoint, 1, 0));
    const Seconds load = Clock::now() - start;
    const auto prompt = random_prompt(task);
    const auto run = [&](const NextToken& next) {
      return must(run_rank_card(file, task.problem, task.plan, card.get(), endpoint, prompt, next, {}));
    };
    if (place.rank == 0) {
      Turns turns(task, what.threads);
      print_row(
          what, task, load, turns, [&] { return *run([&](std::span<const float>) { return turns.next(); }); },
          std::nullopt);
    } else {
      for (int i = 0; i < kRuns; ++i) run({});
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
