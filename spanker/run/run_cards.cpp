#include "spanker/run/run_cards.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <utility>

#include "spanker/comm/local_cards.hpp"
#include "spanker/plan/memory.hpp"
#include "spanker/steps/lower.hpp"

namespace spanker {
namespace {

/// Cards of one process are lost only where they fail, and then all know at once.
constexpr Seconds kTimeout{24 * 3600.0};
/// About the time between two kernels of a card.
constexpr std::uint32_t kKernelSpins = 20000;

std::size_t processors() { return std::max(1u, std::thread::hardware_concurrency()); }

std::size_t threads_of_card(std::size_t index, std::size_t cards, std::size_t threads) {
  const Portion portion = portion_of(threads, index, cards);
  return std::max<std::size_t>(1, portion.end - portion.begin);
}

Result<void> check_memory(const Problem& problem, const Plan& plan, Bytes memory) {
  Bytes total;
  for (const CardMemory& card : plan_memory(problem, plan)) total += card.total();
  if (total <= memory) return {};
  return tl::unexpected(Error{ErrorKind::kInfeasible, "memory",
                              "too little for weights, cache and activations",
                              fmt::format("{} bytes", total.value), fmt::format("{} bytes", memory.value)});
}

}  // namespace

bool may_spin(std::size_t threads) { return threads <= processors(); }

std::uint32_t kernel_spins(std::size_t threads) { return may_spin(threads) ? kKernelSpins : 0; }

Bytes available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
    std::uint64_t kibibytes = 0;
    if (key == "MemAvailable:" && file >> kibibytes) return Bytes(kibibytes * 1024);
  }
  return Bytes(std::numeric_limits<std::uint64_t>::max());
}

Result<std::vector<std::unique_ptr<Card>>> load_cards(const ModelFile& file, const Problem& problem,
                                                      const Plan& plan, std::size_t threads, Bytes memory) {
  const std::vector<Shard> shards = shards_of(problem, plan);
  if (shards.size() > kMostLocalCards) {
    return tl::unexpected(Error{ErrorKind::kInfeasible, "plan", "too many cards for one process",
                                fmt::format("at most {}", kMostLocalCards), std::to_string(shards.size())});
  }
  if (auto fits = check_memory(problem, plan, memory); !fits) return tl::unexpected(fits.error());
  const std::size_t all_threads = threads > 0 ? threads : processors();
  const std::uint32_t spins = kernel_spins(std::max(all_threads, shards.size()));
  std::vector<Result<std::unique_ptr<Card>>> loaded(shards.size());
  {
    std::vector<std::jthread> loaders;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      loaders.emplace_back([&, i] {
        loaded[i] =
            Card::load(file, problem, shards[i], threads_of_card(i, shards.size(), all_threads), spins);
      });
    }
  }
  std::vector<std::unique_ptr<Card>> cards;
  for (Result<std::unique_ptr<Card>>& card : loaded) {
    if (!card) return tl::unexpected(card.error());
    cards.push_back(std::move(*card));
  }
  return cards;
}

RunTimes run_times(RunGraphs graphs, const CardTimes& sampling, std::span<const CardClocks> clocks) {
  RunTimes times{sampling, std::move(graphs), {}, {}};
  std::vector<StepClock> prefill;
  std::vector<StepClock> decode;
  for (const CardClocks& each : clocks) {
    prefill.push_back(each.prefill);
    decode.push_back(each.decode);
  }
  times.prefill_timeline = measured_timeline(times.graphs.prefill, prefill);
  times.decode_timeline = measured_timeline(times.graphs.decode, decode);
  return times;
}

Result<RunTimes> run_cards(const ModelFile& file, const Problem& problem, const Plan& plan,
                           std::span<const std::unique_ptr<Card>> cards,
                           std::span<const std::uint32_t> prompt, const NextToken& next, bool is_paced) {
  RunGraphs graphs{lower_prefill(problem, plan), lower_decode(problem, plan)};
  const ClusterRates rates(problem.cluster, Bound::kValue);
  const auto start = std::chrono::steady_clock::now();
  std::vector<CardId> ids;
  std::vector<CardClocks> clocks;
  std::size_t threads = 0;
  for (const auto& card : cards) {
    ids.push_back(card->shard().card);
    clocks.push_back(card_clocks(ids.back(), start));
    threads += card->threads();
  }
  std::vector<CardTimes> times(cards.size());
  const auto run = [&](Communicator& world) -> Result<void> {
    const std::size_t rank = world.rank();
    CardPace pace = card_pace(rates, ids, rank, start);
    const CardJob job{
        file, problem, plan, graphs, *cards[rank], world, prompt, next, is_paced ? &pace : nullptr};
    auto ran = run_card(job, clocks[rank]);
    if (!ran) return tl::unexpected(ran.error());
    times[rank] = *ran;
    return {};
  };
  LocalCardsOptions options;
  options.timeout = kTimeout;
  options.spin = may_spin(threads) ? kExchangeSpin : Seconds(0);
  const auto done = run_in_process(static_cast<std::uint32_t>(cards.size()), run, options);
  if (!done) return tl::unexpected(done.error());
  for (const CardTimes& each : times)
    times.front().lateness = std::max(times.front().lateness, each.lateness);
  return run_times(std::move(graphs), times.front(), clocks);
}

}  // namespace spanker
