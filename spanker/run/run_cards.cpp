#include "spanker/run/run_cards.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

#include "spanker/comm/local_cards.hpp"
#include "spanker/plan/memory.hpp"
#include "spanker/run/pass_runner.hpp"
#include "spanker/run/step_clock.hpp"
#include "spanker/run/weight_tensor.hpp"
#include "spanker/steps/lower.hpp"

namespace spanker {
namespace {

/// Cards of one process are lost only where they fail, and then all know at once.
constexpr Seconds kTimeout{24 * 3600.0};
/// About the time between two kernels of a card.
constexpr std::uint32_t kSpins = 20000;
constexpr Seconds kSpin{200e-6};
/// The first card of the first stage samples.
constexpr std::uint32_t kSamplingRank = 0;

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

/// What one card does from the prompt to the last token.
class CardRun {
 public:
  CardRun(const ModelFile& file, const Problem& problem, Communicator& world, Card& card,
          StepClock& prefill_clock, StepClock& decode_clock)
      : file_(file),
        problem_(problem),
        world_(world),
        card_(card),
        prefill_clock_(prefill_clock),
        decode_clock_(decode_clock) {}

  Result<void> run(PassRunner& prefill, PassRunner& decode, std::span<const std::uint32_t> prompt,
                   const NextToken& next, RunTimes& times) {
    const Seconds start = prefill_clock_.now();
    if (auto done = run_pass(prefill, prompt, 0, prefill_clock_); !done) return done;
    if (samples()) times.prefill = prefill_clock_.now() - start;
    auto token = next_token(next, times.prefill_graph, prefill_clock_);
    if (!token) return tl::unexpected(token.error());
    const Seconds first_token = prefill_clock_.now();
    if (samples()) times.time_to_first_token = first_token - start;
    std::uint32_t passes = 0;
    for (std::size_t position = prompt.size(); token->has_value(); ++position) {
      decode_clock_.begin_pass(passes);
      const std::uint32_t tokens[] = {**token};
      if (auto done = run_pass(decode, tokens, position, decode_clock_); !done) return done;
      ++passes;
      token = next_token(next, times.decode_graph, decode_clock_);
      if (!token) return tl::unexpected(token.error());
      if (samples()) times.decode = prefill_clock_.now() - first_token;
    }
    if (samples()) times.decoded = passes;
    return {};
  }

 private:
  static StepId overhead_step(const StepGraph& graph) {
    StepId id = static_cast<StepId>(graph.size() - 1);
    while (graph.step(id).kind != StepKind::kPassOverhead) --id;
    return id;
  }

  bool samples() const { return card_.shard().samples; }

  Result<void> run_pass(PassRunner& runner, std::span<const std::uint32_t> tokens, std::size_t position,
                        StepClock& clock) {
    card_.begin_pass(tokens, position);
    const bool host_looks_up = problem_.workload.embedding == EmbeddingPlace::kHost;
    if (host_looks_up && samples()) {
      for (std::size_t row = 0; row < tokens.size(); ++row) {
        const std::uint64_t hidden = problem_.model.shape.hidden_size;
        const auto vector = elements_of(file_.files, "token_embd.weight", {tokens[row] * hidden, hidden});
        if (!vector) return tl::unexpected(vector.error());
        std::ranges::copy(*vector, card_.residual_row(row).begin());
      }
    }
    return runner.run(clock);
  }

  /// All cards learn it from the one that samples, for which choosing is the fixed cost of a pass.
  Result<std::optional<std::uint32_t>> next_token(const NextToken& next, const StepGraph& graph,
                                                  StepClock& clock) {
    constexpr float kEnd = -1;
    std::optional<std::uint32_t> token;
    if (samples()) {
      const Seconds start = clock.now();
      token = next(card_.logits());
      clock.note_step(overhead_step(graph), start, clock.now());
    }
    if (world_.size() == 1) return token;
    // Ids are exact as floats.
    float sent = token ? static_cast<float>(*token) : kEnd;
    if (auto done = world_.broadcast({&sent, 1}, kSamplingRank, Algorithm::kTree); !done) {
      return tl::unexpected(done.error());
    }
    if (sent == kEnd) return std::optional<std::uint32_t>();
    return std::optional(static_cast<std::uint32_t>(sent));
  }

  const ModelFile& file_;
  const Problem& problem_;
  Communicator& world_;
  Card& card_;
  StepClock& prefill_clock_;
  StepClock& decode_clock_;
};

}  // namespace

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
  const bool spins = std::max(all_threads, shards.size()) <= processors();
  std::vector<Result<std::unique_ptr<Card>>> loaded(shards.size());
  {
    std::vector<std::jthread> loaders;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      loaders.emplace_back([&, i] {
        loaded[i] = Card::load(file, problem, shards[i], threads_of_card(i, shards.size(), all_threads),
                               spins ? kSpins : 0);
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

Result<RunTimes> run_cards(const ModelFile& file, const Problem& problem, const Plan& plan,
                           std::span<const std::unique_ptr<Card>> cards,
                           std::span<const std::uint32_t> prompt, const NextToken& next) {
  RunTimes times;
  times.prefill_graph = lower_prefill(problem, plan);
  times.decode_graph = lower_decode(problem, plan);
  const auto start = std::chrono::steady_clock::now();
  std::vector<StepClock> prefill_clocks;
  std::vector<StepClock> decode_clocks;
  for (const auto& card : cards) {
    prefill_clocks.emplace_back(card->shard().card, start, 1);
    decode_clocks.emplace_back(card->shard().card, start, kMostTimedPasses);
  }
  const auto run_card = [&](Communicator& world) -> Result<void> {
    const std::size_t rank = world.rank();
    Card& card = *cards[rank];
    auto prefill = PassRunner::make(problem, plan, times.prefill_graph, card, world);
    if (!prefill) return tl::unexpected(prefill.error());
    auto decode = PassRunner::make(problem, plan, times.decode_graph, card, world);
    if (!decode) return tl::unexpected(decode.error());
    return CardRun(file, problem, world, card, prefill_clocks[rank], decode_clocks[rank])
        .run(*prefill, *decode, prompt, next, times);
  };
  std::size_t threads = 0;
  for (const auto& card : cards) threads += card->threads();
  LocalCardsOptions options;
  options.timeout = kTimeout;
  options.spin = threads <= processors() ? kSpin : Seconds(0);
  const auto done = run_in_process(static_cast<std::uint32_t>(cards.size()), run_card, options);
  if (!done) return tl::unexpected(done.error());
  times.prefill_timeline = measured_timeline(times.prefill_graph, prefill_clocks);
  times.decode_timeline = measured_timeline(times.decode_graph, decode_clocks);
  return times;
}

}  // namespace spanker
