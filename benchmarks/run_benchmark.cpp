#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/random.hpp"
#include "spanker/kernels/read_bandwidth.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/run/generate.hpp"
#include "spanker/run/machine_cluster.hpp"

// How fast a model is run on this machine, beside how fast the machine reads memory in the same minute.

namespace spanker {
namespace {

using Clock = std::chrono::steady_clock;

struct Case {
  const char* name;
  std::uint32_t cards;
  std::size_t threads;
  std::uint64_t prompt;
  std::uint64_t generate;
};

/// The most memory that this process has had since the last call, files that are mapped included.
Bytes peak_memory_since_reset() {
  std::ifstream file("/proc/self/status");
  std::uint64_t kibibytes = 0;
  for (std::string key; file >> key; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
    if (key == "VmHWM:" && file >> kibibytes) break;
  }
  return Bytes(kibibytes * 1024);
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", to_line(result.error()).c_str());
    std::exit(1);
  }
  return std::move(*result);
}

BytesPerSecond bandwidth_of(std::size_t threads) {
  return must(read_bandwidth(static_cast<unsigned>(threads), Bytes(std::uint64_t{512} << 20), 5));
}

void run_case(const std::string& path, const Case& what) {
  const BytesPerSecond before = bandwidth_of(what.threads);
  reset_peak_memory();
  const auto start = Clock::now();
  const ModelFile file = must(ModelFile::open(path));
  Workload workload;
  workload.prompt = what.prompt;
  workload.generate = what.generate;
  workload.context = 512;
  const Problem problem =
      must(Problem::make(file.model, unmeasured_machine(what.cards, available_memory()), workload));
  const PlanStrategy strategy = what.cards == 1 ? PlanStrategy::kSingleCard : PlanStrategy::kTensorParallel;
  const Plan plan = search(problem, StrategySet::only(strategy)).value();
  const auto cards = must(load_cards(file, problem, plan, what.threads, available_memory()));
  const Seconds load = Clock::now() - start;

  SplitMix64 random(1);
  std::vector<std::uint32_t> prompt;
  for (std::uint64_t i = 0; i < what.prompt; ++i) {
    prompt.push_back(static_cast<std::uint32_t>(random.next() % file.model.shape.vocab_size));
  }
  const auto generation =
      must(generate(file, problem, plan, cards, prompt, {}, nullptr, [](std::uint32_t, std::uint64_t) { return true; }));
  const Bytes peak = peak_memory_since_reset();
  const BytesPerSecond after = bandwidth_of(what.threads);

  const RunTimes& times = generation.times;
  const double tokens_per_second = static_cast<double>(times.decoded) / times.decode.count();
  const double bytes_per_second =
      tokens_per_second * static_cast<double>(decode_weight_bytes(problem.model).value);
  const double bandwidth = std::max(before.value, after.value);
  Bytes needed = weight_bytes(problem.model);
  needed += kv_bytes_per_token(problem.model.shape, workload.kv_type) * workload.context;
  fmt::print("{}\n", what.name);
  fmt::print("  decode       {:.2f} tokens/s, {:.2f} GB/s of weights\n", tokens_per_second,
             bytes_per_second / 1e9);
  fmt::print("  reads        {:.2f} and {:.2f} GB/s before and after: decode is at {:.1f} %\n",
             before.value / 1e9, after.value / 1e9, 100 * bytes_per_second / bandwidth);
  fmt::print("  prefill      {} tokens in {}, {:.1f} tokens/s\n", what.prompt, format(times.prefill),
             static_cast<double>(what.prompt) / times.prefill.count());
  fmt::print("  first token  {} from start, {} of it load\n", format(load + times.time_to_first_token),
             format(load));
  fmt::print("  memory       {} at most, {:.3f} of weights and cache\n", format(peak),
             static_cast<double>(peak.value) / static_cast<double>(needed.value));
}

}  // namespace
}  // namespace spanker

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: run_benchmark MODEL.gguf\n");
    return 2;
  }
  const spanker::Case cases[] = {
      {"one thread", 1, 1, 8, 64},
      {"two threads", 1, 2, 8, 64},
      {"two cards of one thread", 2, 2, 8, 64},
      {"prompt of 256, two threads", 1, 2, 256, 2},
      {"prompt of 256, two cards of one thread", 2, 2, 256, 2},
  };
  for (const spanker::Case& each : cases) spanker::run_case(argv[1], each);
}
