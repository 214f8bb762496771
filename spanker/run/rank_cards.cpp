#include "spanker/run/rank_cards.hpp"

#include <chrono>
#include <cstring>
#include <future>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "spanker/comm/byte_messages.hpp"
#include "spanker/run/agree.hpp"
#include "spanker/run/clock_alignment.hpp"
#include "spanker/steps/lower.hpp"

namespace spanker {
namespace {

constexpr std::chrono::milliseconds kBetweenPolls{5};

/// What a rank noted, for the first one.
struct RankNotes {
  CardTimes times;
  std::size_t prefill_visits = 0;
};

std::string packed(const CardTimes& times, const CardClocks& clocks) {
  static_assert(std::is_trivially_copyable_v<RankNotes> && std::is_trivially_copyable_v<StepClock::Visit>);
  const RankNotes notes{times, clocks.prefill.visits().size()};
  std::string bytes(reinterpret_cast<const char*>(&notes), sizeof notes);
  for (const StepClock* clock : {&clocks.prefill, &clocks.decode}) {
    const auto visits = std::as_bytes(clock->visits());
    bytes.append(reinterpret_cast<const char*>(visits.data()), visits.size());
  }
  return bytes;
}

/// Nothing where that is not what packed() made.
std::optional<CardTimes> unpack(std::string_view bytes, CardClocks& clocks) {
  RankNotes notes;
  if (bytes.size() < sizeof notes) return std::nullopt;
  std::memcpy(&notes, bytes.data(), sizeof notes);
  bytes.remove_prefix(sizeof notes);
  std::vector<StepClock::Visit> visits(bytes.size() / sizeof(StepClock::Visit));
  if (notes.prefill_visits > visits.size()) return std::nullopt;
  std::memcpy(visits.data(), bytes.data(), visits.size() * sizeof(StepClock::Visit));
  const auto middle = visits.begin() + static_cast<std::ptrdiff_t>(notes.prefill_visits);
  clocks.prefill.set_visits({visits.begin(), middle});
  clocks.decode.set_visits({middle, visits.end()});
  return notes.times;
}

/// Makes the clocks of all ranks read like the first one's.
void align(const RunGraphs& graphs, std::vector<CardClocks>& clocks) {
  const bool is_decoded = !clocks.front().decode.visits().empty();
  std::vector<StepClock> known;
  for (const CardClocks& each : clocks) known.push_back(is_decoded ? each.decode : each.prefill);
  const auto shifts = clock_shifts(is_decoded ? graphs.decode : graphs.prefill, known);
  for (std::size_t i = 0; i < clocks.size(); ++i) {
    clocks[i].prefill.shift(shifts[i]);
    clocks[i].decode.shift(shifts[i]);
  }
}

/// The plan's cards as ranks of a communicator, and their numbers in the cluster.
struct RankCards {
  std::vector<std::uint32_t> ranks;
  std::vector<CardId> cards;
};

RankCards rank_cards(const Problem& problem, const Plan& plan) {
  RankCards all;
  for (const Shard& shard : shards_of(problem, plan)) all.cards.push_back(shard.card);
  all.ranks.resize(all.cards.size());
  std::iota(all.ranks.begin(), all.ranks.end(), 0u);
  return all;
}

}  // namespace

Result<std::unique_ptr<Card>> load_rank_card(const ModelFile& file, const Problem& problem, const Plan& plan,
                                             Endpoint& endpoint, std::size_t threads, std::uint32_t spins) {
  const std::vector<Shard> shards = shards_of(problem, plan);
  const std::uint32_t rank = endpoint.transport().card();
  endpoint.set_step("loading");
  std::unique_ptr<Card> card;
  Result<std::string> own;
  if (rank < shards.size()) {
    auto loading = std::async(std::launch::async,
                              [&] { return Card::load(file, problem, shards[rank], threads, spins); });
    while (loading.wait_for(kBetweenPolls) != std::future_status::ready) endpoint.transport().poll();
    auto loaded = loading.get();
    if (loaded)
      card = std::move(*loaded);
    else
      own = Failure(loaded.error());
  }
  if (auto all = agree(endpoint, own); !all) return Failure(all.error());
  return card;
}

Result<std::optional<RunTimes>> run_rank_card(const ModelFile& file, const Problem& problem, const Plan& plan,
                                              Card* card, Endpoint& endpoint,
                                              std::span<const std::uint32_t> prompt, const NextToken& next,
                                              const GenerateOptions& options) {
  const RankCards all = rank_cards(problem, plan);
  const ClusterRates rates(problem.cluster, Bound::kValue);
  // Clocks start about together: when all ranks are here.
  if (auto here = all_gather_bytes(endpoint, {}); !here) return Failure(here.error());
  const auto start = std::chrono::steady_clock::now();
  if (card == nullptr) {
    if (auto ended = follow_run(endpoint, options.is_paced); !ended) return Failure(ended.error());
    if (auto gathered = gather_bytes(endpoint, {}); !gathered) return Failure(gathered.error());
    return std::nullopt;
  }
  RunGraphs graphs{lower_prefill(problem, plan), lower_decode(problem, plan)};
  CardClocks clocks = card_clocks(card->shard().card, start);
  CardPace pace = card_pace(rates, all.cards, endpoint.transport().card(), start);
  auto world = Communicator(endpoint).group(all.ranks);
  if (!world) return Failure(world.error());
  const CardJob job{file,
                    problem,
                    plan,
                    graphs,
                    *card,
                    *world,
                    prompt,
                    next,
                    options.is_paced ? &pace : nullptr,
                    options.native_all_reduce};
  const auto times = run_card(job, clocks);
  if (!times) return Failure(times.error());
  const auto notes = gather_bytes(endpoint, packed(*times, clocks));
  if (!notes) return Failure(notes.error());
  if (notes->empty()) return std::nullopt;

  CardTimes sampling = *times;
  std::vector<CardClocks> every;
  for (std::size_t i = 0; i < all.cards.size(); ++i) {
    const auto noted = unpack((*notes)[i], every.emplace_back(card_clocks(all.cards[i], start)));
    if (!noted) return bad_input(endpoint.transport().name(all.ranks[i]), "sent no times");
    sampling.lateness = std::max(sampling.lateness, noted->lateness);
  }
  align(graphs, every);
  return run_times(std::move(graphs), sampling, every);
}

}  // namespace spanker
