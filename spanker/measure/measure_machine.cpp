#include "spanker/measure/measure_machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "spanker/kernels/read_bandwidth.hpp"
#include "spanker/measure/kernel_bandwidth.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/model/synth.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/run/machine_cluster.hpp"

namespace spanker {
namespace {

constexpr Bytes kAllReduceBytes{8192};
constexpr std::uint64_t kPrompt = 1;
constexpr std::uint64_t kTokens = 17;
constexpr int kPromptRuns = 3;

constexpr WeightType kTypes[] = {WeightType::kF32,  WeightType::kF16,  WeightType::kBF16, WeightType::kQ8_0,
                                 WeightType::kQ4_0, WeightType::kQ4_K, WeightType::kQ6_K};

template <class T>
Ranged<T> exactly(T value, const std::string& source) {
  return {value, value, value, source};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class Measuring {
 public:
  Measuring(Workbench& bench, const MeasureOptions& options) : bench_(bench), options_(options) {}

  Result<std::optional<MachineMeasurement>> run() {
    measured_.machine = this_machine();
    measured_.cards = bench_.cards();
    measured_.threads = bench_.threads();
    measured_.in_processes = bench_.in_processes();
    total_ = 2 + options_.models.size() + static_cast<std::uint64_t>(options_.blocks) + 1;
    if (auto done = measure_memory(); !done) return Failure(done.error());
    make_cluster();
    if (auto done = measure_links(); !done) return Failure(done.error());
    if (auto done = measure_tokens(); !done) return Failure(done.error());
    if (!bench_.is_first()) return std::nullopt;
    fit();
    return std::move(measured_);
  }

 private:
  std::string source(std::string_view what) const {
    return fmt::format("measured on {}, {}: {}", measured_.machine.host, options_.today, what);
  }

  Result<void> step(std::string_view what) {
    if (!options_.progress || options_.progress(done_++, total_, what)) return {};
    return io_failure("measure", "interrupted");
  }

  /// The first card alone, while others wait.
  Result<void> measure_memory() {
    if (auto on = step("memory"); !on) return on;
    if (bench_.is_first()) {
      for (std::uint32_t threads = 1; threads <= measured_.machine.hardware_threads; threads *= 2) {
        const auto rate = read_bandwidth(threads, options_.read_size, 5);
        if (!rate) return Failure(rate.error());
        measured_.reads.push_back({threads, *rate});
      }
      for (const WeightType type : kTypes) {
        const auto rate = kernel_bandwidth(
            type, bench_.threads() / (bench_.in_processes() ? bench_.cards() : 1), options_.kernel_size);
        if (!rate) return Failure(rate.error());
        measured_.kernels.push_back({type, *rate});
      }
    }
    return bench_.together([](Communicator& cards) { return cards.barrier(); });
  }

  /// As far as it is known before tokens are timed.
  void make_cluster() {
    Cluster& cluster = measured_.cluster;
    cluster = unmeasured_machine(measured_.cards, measured_.machine.memory);
    cluster.name = "localhost";
    cluster.description =
        fmt::format("{} {} of {} threads together, {}: {}, {} cores", measured_.cards,
                    measured_.in_processes ? "processes" : (measured_.cards == 1 ? "card" : "cards"),
                    measured_.threads, options_.today, measured_.machine.processor, measured_.machine.cores);
    std::map<std::string, std::uint64_t> on_host;
    for (const Machine& machine : options_.machines) ++on_host[machine.host];
    const auto share = [&](const Machine& machine) {
      const std::uint64_t cards = options_.machines.empty() ? measured_.cards : on_host[machine.host];
      return Bytes(machine.memory.value / cards);
    };
    const std::string by = source("hwloc, shared by the cards of a host");
    cluster.card.memory_capacity = exactly(share(measured_.machine), by);
    for (std::uint32_t card = 0; card < options_.machines.size(); ++card) {
      const Bytes memory = share(options_.machines[card]);
      if (memory == cluster.card.memory_capacity.value) continue;
      CardSpec spec = cluster.card;
      spec.memory_capacity = exactly(memory, by);
      cluster.card_overrides[card] = spec;
    }
  }

  Result<void> measure_links() {
    if (auto on = step("links"); !on) return on;
    if (bench_.cards() == 1) return {};
    std::vector<LinkSweep> sweeps;
    double all_reduce = 0;
    const auto done = bench_.together([&](Communicator& cards) -> Result<void> {
      auto swept = sweep_links(cards);
      if (!swept) return Failure(swept.error());
      const auto seconds = time_all_reduce(cards, kAllReduceBytes, Algorithm::kDirect);
      if (!seconds) return Failure(seconds.error());
      if (cards.rank() > 0) return {};
      sweeps = std::move(*swept);
      all_reduce = *seconds;
      return {};
    });
    if (!done || !bench_.is_first()) return done;
    set_links(sweeps);
    std::vector<CardId> cards;
    for (CardId card = 0; card < measured_.cards; ++card) cards.push_back(card);
    const Payload payload{kAllReduceBytes.value / sizeof(float), TensorType::kF32};
    const ClusterRates rates(measured_.cluster, Bound::kValue);
    const Cost predicted =
        CollectivePricer(rates).collective(Collective::kAllReduce, Algorithm::kDirect, cards, payload);
    measured_.all_reduce = {kAllReduceBytes, Seconds(all_reduce), predicted.total()};
    return {};
  }

  /// The link of cards 0 and 1 for all, and overrides for those that differ by more than a quarter.
  void set_links(const std::vector<LinkSweep>& sweeps) {
    const std::string by = source("messages of 64 B to 1 MiB to and fro, fitted");
    Cluster& cluster = measured_.cluster;
    cluster.link = fit_link(sweeps.front(), by);
    for (const LinkSweep& sweep : sweeps) {
      const LinkSpec link = fit_link(sweep, by);
      const auto differs = [](double a, double b) { return std::max(a, b) > 1.25 * std::min(a, b); };
      if (!differs(link.bandwidth.value.value, cluster.link.bandwidth.value.value) &&
          !differs(link.latency.value.count(), cluster.link.latency.value.count())) {
        continue;
      }
      cluster.link_overrides[{sweep.a, sweep.b}] = link;
      cluster.link_overrides[{sweep.b, sweep.a}] = link;
    }
  }

  /// A sample model on the cards.
  struct Bench {
    ModelFile file;
    Problem problem;
    Plan plan;
    std::unique_ptr<LoadedPlan> loaded;
  };

  Result<std::unique_ptr<Bench>> make_bench(const SampleModel& sample) {
    if (auto on = step(fmt::format("writing {}", sample.name)); !on) return Failure(on.error());
    const auto model = make_model(sample.name, sample.shape, TensorType::kQ4_0);
    if (!model) return Failure(model.error());
    const std::string path = options_.folder + "/model.gguf";
    const auto goes_on = [](Bytes, Bytes) { return true; };
    if (auto written = write_synthetic_gguf(*model, 1, path, goes_on); !written)
      return Failure(written.error());
    auto bench = load(path);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    return bench;
  }

  Result<std::unique_ptr<Bench>> load(const std::string& path) {
    auto file = ModelFile::open(path);
    if (!file) return Failure(file.error());
    auto problem = problem_of(*file, kPrompt, kTokens);
    if (!problem) return Failure(problem.error());
    auto plan = search(*problem, bench_.cards() == 1 ? StrategySet::only(PlanStrategy::kSingleCard)
                                                     : StrategySet::only(PlanStrategy::kTensorParallel));
    if (!plan) return io_failure("measure", "no plan for its own models");
    auto bench =
        std::make_unique<Bench>(Bench{std::move(*file), std::move(*problem), std::move(*plan), nullptr});
    auto loaded = bench_.load(bench->file, bench->problem, bench->plan);
    if (!loaded) return Failure(loaded.error());
    bench->loaded = std::move(*loaded);
    const auto bytes = static_cast<double>(weight_bytes(bench->problem.model).value);
    loads_.push_back(bench->loaded->load() / bytes);
    return bench;
  }

  Result<void> measure_tokens() {
    std::vector<std::unique_ptr<Bench>> benches;
    for (const SampleModel& sample : options_.models) {
      auto bench = make_bench(sample);
      if (!bench) return Failure(bench.error());
      auto mean = problem_of((*bench)->file, kPrompt, kTokens, kPrompt + kTokens / 2);
      if (!mean) return Failure(mean.error());
      decodes_.push_back({std::move(*mean), (*bench)->plan, {}});
      benches.push_back(std::move(*bench));
    }
    if (auto done = choose_turns(benches); !done) return done;
    for (int block = 0; block < options_.blocks; ++block) {
      if (auto on = step("tokens"); !on) return on;
      if (auto done = measure_block(benches); !done) return done;
    }
    keep_middle_half();
    // The middle one is long enough, and has steps as large as most models.
    return measure_prompt(*benches[benches.size() / 2]);
  }

  /// What the tokens of one model took.
  struct Decoded {
    Seconds seconds{0};
    std::uint64_t tokens = 0;
  };

  /// A few tokens of each model; on the first card they are added to `decoded`.
  Result<void> take_turn(const std::vector<std::unique_ptr<Bench>>& benches, std::vector<Decoded>& decoded) {
    for (std::size_t i = 0; i < benches.size(); ++i) {
      const auto times = benches[i]->loaded->run();
      if (!times) return Failure(times.error());
      if (!*times) continue;
      decoded[i].seconds += (*times)->decode;
      decoded[i].tokens += (*times)->decoded;
    }
    return {};
  }

  /// How many make a block, by one that does not count, as the first card sees it.
  Result<void> choose_turns(const std::vector<std::unique_ptr<Bench>>& benches) {
    std::vector<Decoded> decoded(benches.size());
    if (auto done = take_turn(benches, decoded); !done) return done;
    const double turn =
        std::accumulate(decoded.begin(), decoded.end(), 0.0,
                        [](double sum, const Decoded& of) { return sum + of.seconds.count(); });
    return bench_.together([&](Communicator& cards) -> Result<void> {
      float turns = 1;
      if (cards.rank() == 0)
        turns = static_cast<float>(std::clamp(options_.block.count() / turn, 1.0, 1000.0));
      if (auto told = cards.broadcast({&turns, 1}, 0, Algorithm::kDirect); !told) return told;
      if (cards.rank() == 0 || bench_.in_processes()) turns_ = static_cast<int>(std::ceil(turns));
      return {};
    });
  }

  Result<void> measure_block(const std::vector<std::unique_ptr<Bench>>& benches) {
    std::vector<Decoded> decoded(benches.size());
    for (int turn = 0; turn < turns_; ++turn) {
      if (auto done = take_turn(benches, decoded); !done) return done;
    }
    if (!bench_.is_first()) return {};
    for (std::size_t i = 0; i < benches.size(); ++i) {
      decodes_[i].seconds.push_back(decoded[i].seconds / static_cast<double>(decoded[i].tokens));
    }
    return {};
  }

  /// Without the blocks that took longest and least of all, in which the machine did something else.
  void keep_middle_half() {
    if (decodes_.front().seconds.empty()) return;
    std::vector<std::pair<double, std::size_t>> blocks;
    for (std::size_t block = 0; block < decodes_.front().seconds.size(); ++block) {
      double product = 1;
      for (const DecodeSample& sample : decodes_) product *= sample.seconds[block].count();
      blocks.emplace_back(product, block);
    }
    std::ranges::sort(blocks);
    const std::size_t quarter = blocks.size() / 4;
    for (DecodeSample& sample : decodes_) {
      std::vector<Seconds> kept;
      for (std::size_t i = quarter; i < blocks.size() - quarter; ++i) {
        kept.push_back(sample.seconds[blocks[i].second]);
      }
      sample.seconds = std::move(kept);
    }
  }

  Result<void> measure_prompt(const Bench& bench) {
    if (auto on = step("a prompt"); !on) return on;
    auto problem = problem_of(bench.file, options_.long_prompt, 1);
    if (!problem) return Failure(problem.error());
    const auto loaded = bench_.load(bench.file, *problem, bench.plan);
    if (!loaded) return Failure(loaded.error());
    for (int run = 0; run < kPromptRuns; ++run) {
      const auto times = (*loaded)->run();
      if (!times) return Failure(times.error());
      if (*times) prefills_.push_back((*times)->prefill.count());
    }
    prefill_.emplace(std::move(*problem), bench.plan);
    return {};
  }

  Result<Problem> problem_of(const ModelFile& file, std::uint64_t prompt, std::uint64_t generate,
                             std::optional<std::uint64_t> context = std::nullopt) const {
    Workload workload;
    workload.prompt = context ? 1 : prompt;
    workload.generate = context ? 1 : generate;
    workload.context = context.value_or(prompt + generate);
    return Problem::make(file.model, measured_.cluster, workload);
  }

  void fit() {
    const std::uint32_t threads = static_cast<std::uint32_t>(measured_.threads);
    BytesPerSecond read = measured_.reads.front().rate;
    for (const auto& each : measured_.reads) {
      if (each.threads <= threads) read = each.rate;
    }
    for (DecodeSample& sample : decodes_) sample.problem = sample.problem.with_cluster(measured_.cluster);
    // Cards that read at the same time share the machine's memory.
    measured_.card = fit_card(decodes_, BytesPerSecond(read.value / measured_.cards));
    CardSpec numbers = measured_.cluster.card;
    numbers.memory_bandwidth = measured_.card.memory_bandwidth;
    numbers.step_overhead = measured_.card.step_overhead;
    numbers.token_overhead = measured_.card.token_overhead;
    const std::string by =
        source(fmt::format("tokens of {} models in Q4_0, {} times of {}, fitted", decodes_.size(),
                           decodes_.front().seconds.size(), options_.blocks));
    numbers.memory_bandwidth.source = numbers.step_overhead.source = numbers.token_overhead.source = by;
    set_numbers(numbers);
    fit_prefill();
    set_host_link();
    for (const DecodeSample& sample : decodes_) measured_.decodes.push_back(report(sample));
  }

  /// Of all cards, but for their memory.
  void set_numbers(const CardSpec& numbers) {
    const auto set = [&](CardSpec& card) {
      const auto capacity = card.memory_capacity;
      card = numbers;
      card.memory_capacity = capacity;
    };
    set(measured_.cluster.card);
    for (auto& [id, card] : measured_.cluster.card_overrides) set(card);
  }

  void fit_prefill() {
    const Plan& plan = prefill_->second;
    const Problem measured = prefill_->first.with_cluster(measured_.cluster);
    std::ranges::sort(prefills_);
    const auto rate = [&](double seconds) { return fit_compute(measured, plan, Seconds(seconds)); };
    const auto value = rate(median(prefills_));
    const auto high = rate(prefills_.front());
    const auto low = rate(prefills_.back());
    if (!value || !high || !low) return;
    CardSpec numbers = measured_.cluster.card;
    numbers.compute = Ranged<OpsPerSecond>{
        *value, *low, *high,
        source(fmt::format("a prompt of {} in Q4_0, {} runs", options_.long_prompt, kPromptRuns))};
    set_numbers(numbers);
  }

  /// A host that loads weights as fast as files were, and knows of tokens at once.
  void set_host_link() {
    std::vector<double> rates;
    for (const Seconds per_byte : loads_) rates.push_back(1 / per_byte.count());
    std::ranges::sort(rates);
    HostLinkSpec& host = measured_.cluster.host_link;
    host.bandwidth = {BytesPerSecond(median(rates)), BytesPerSecond(rates.front()),
                      BytesPerSecond(rates.back()), source("loading files that were in memory")};
    host.latency = exactly(Seconds(1e-9), "none: the host is the machine itself");
  }

  MachineMeasurement::Decode report(const DecodeSample& sample) const {
    const Seconds mean = sample.mean();
    const auto [least, most] = std::ranges::minmax(sample.seconds);
    const Problem problem = sample.problem.with_cluster(measured_.cluster);
    return {problem.model.name, decode_weight_bytes(problem.model), mean, (most - least) / mean,
            decode_cost(problem, sample.plan, Bound::kValue).total()};
  }

  Workbench& bench_;
  const MeasureOptions& options_;
  MachineMeasurement measured_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  int turns_ = 1;  ///< of a block
  std::vector<DecodeSample> decodes_;
  std::optional<std::pair<Problem, Plan>> prefill_;
  std::vector<double> prefills_;
  std::vector<Seconds> loads_;  ///< of a byte
};

}  // namespace

std::vector<SampleModel> sample_models() {
  const auto shape = [](std::uint32_t layers, std::uint32_t hidden, std::uint32_t ffn, std::uint32_t heads,
                        std::uint32_t kv_heads, std::uint32_t head_dim) {
    return ModelShape{
        Architecture::kLlama, layers, hidden, ffn, heads, kv_heads, head_dim, 8192, 2048, 1e-5, 1e4, false};
  };
  return {{"48 layers of 1024", shape(48, 1024, 2816, 16, 4, 64)},
          {"22 layers of 2048", shape(22, 2048, 5632, 32, 8, 64)},
          {"6 layers of 4096", shape(6, 4096, 11008, 32, 8, 128)}};
}

double MachineMeasurement::spread() const {
  double greatest = 0;
  for (const Decode& decode : decodes) greatest = std::max(greatest, decode.spread);
  return greatest;
}

Result<std::optional<MachineMeasurement>> measure_machine(Workbench& bench, const MeasureOptions& options) {
  return Measuring(bench, options).run();
}

}  // namespace spanker
