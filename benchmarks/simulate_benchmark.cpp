// How many transfers the contention engine simulates in a second, and in what memory. Prints a table of
// BENCHMARKS.md.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "spanker/collective/schedule.hpp"
#include "spanker/model/load.hpp"
#include "spanker/simulate/contention_engine.hpp"
#include "spanker/simulate/simulate.hpp"

namespace spanker {
namespace {

template <class T>
Ranged<T> fixed(double value) {
  return {T(value), T(value), T(value), "made up"};
}

Cluster cluster_of(Topology topology, std::uint32_t cards) {
  Cluster cluster;
  cluster.card_count = cards;
  cluster.topology = topology;
  cluster.card.memory_bandwidth = fixed<BytesPerSecond>(2e9);
  cluster.card.memory_capacity = {Bytes(4ULL << 30), Bytes(4ULL << 30), Bytes(4ULL << 30), "made up"};
  cluster.link = {fixed<BytesPerSecond>(500e6), fixed<Seconds>(1e-6), LinkState::kUp};
  cluster.host_link = {fixed<BytesPerSecond>(100e6), fixed<Seconds>(50e-6), true};
  return cluster;
}

/// All-reduces one after the other, each card as far ahead as its own transfers let it.
class AllReduces : public EngineDriver {
 public:
  AllReduces(const Schedule& schedule, std::uint32_t ranks, std::uint64_t times)
      : schedule_(schedule), ranks_(ranks), of_rank_(ranks), times_(times) {
    // A rank's touches in order, so that "the round before" is a place in its list.
    for (std::size_t round = 0; round < schedule.round_count(); ++round) {
      for (const Transfer& transfer : schedule.round(round)) {
        for (const std::uint32_t rank : {transfer.from, transfer.to}) {
          auto& rounds = of_rank_[rank];
          if (rounds.empty() || rounds.back().round != round) rounds.push_back({round, 0, {}});
          ++rounds.back().touches;
        }
        of_rank_[transfer.from].back().sends.push_back(&transfer);
      }
    }
  }

  EngineSettings settings() const {
    EngineSettings settings;
    for (const Transfer& transfer : schedule_.transfers()) {
      settings.pairs.emplace_back(transfer.from, transfer.to);
    }
    return settings;
  }

  void start(ContentionEngine& engine) override {
    for (std::uint32_t rank = 0; rank < ranks_.size(); ++rank) begin(engine, rank);
  }
  void done(ContentionEngine& engine, Tag tag) override {
    ++done_;
    const Transfer& transfer = schedule_.transfers()[tag];
    end_touch(engine, transfer.from);
    end_touch(engine, transfer.to);
  }
  void lost(ContentionEngine& engine, Tag, const Obstacle&) override { engine.fail("a transfer was lost"); }
  std::string finish(ContentionEngine& engine, std::span<const WaitingActivity>) override {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return fmt::format("{} {} {} {}", done_, engine.now().count(),
                       seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
  }

 private:
  struct Round {
    std::size_t round;
    std::uint32_t touches;
    std::vector<const Transfer*> sends;
  };
  struct Rank {
    std::size_t next = 0;  ///< in of_rank_
    std::uint64_t times = 0;
    std::int64_t ended = 0;  ///< touches of this round, and of later ones by neighbours that are ahead
  };

  void begin(ContentionEngine& engine, std::uint32_t rank) {
    for (const Transfer* transfer : of_rank_[rank][ranks_[rank].next].sends) {
      const auto tag = static_cast<Tag>(transfer - schedule_.transfers().data());
      engine.transfer(transfer->from, transfer->to, Bytes(transfer->units * 4), tag);
    }
  }

  void end_touch(ContentionEngine& engine, std::uint32_t index) {
    Rank& rank = ranks_[index];
    const auto& rounds = of_rank_[index];
    if (++rank.ended < rounds[rank.next].touches) return;
    rank.ended -= rounds[rank.next].touches;
    if (++rank.next == rounds.size()) {
      rank.next = 0;
      if (++rank.times == times_) return;
    }
    begin(engine, index);
  }

  const Schedule& schedule_;
  std::vector<Rank> ranks_;
  std::vector<std::vector<Round>> of_rank_;
  std::uint64_t times_;
  std::uint64_t done_ = 0;
};

void report(const char* name, Topology topology, std::uint32_t cards, Algorithm algorithm,
            std::uint64_t bytes, std::uint64_t times, int runs) {
  const Schedule schedule = make_schedule(Collective::kAllReduce, algorithm, cards, bytes / 4);
  const Cluster cluster = cluster_of(topology, cards);
  std::vector<double> seconds;
  std::vector<double> processor_seconds;
  std::uint64_t transfers = 0;
  double simulated = 0;
  long kibibytes = 0;
  for (int run = 0; run < runs; ++run) {
    AllReduces driver(schedule, cards, times);
    const auto start = std::chrono::steady_clock::now();
    const auto result = run_contention(cluster, driver.settings(), driver);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (!result) {
      std::fprintf(stderr, "simulate_benchmark: %s\n", to_line(result.error()).c_str());
      std::exit(1);
    }
    double processor = 0;
    if (std::sscanf(result->c_str(), "%ju %lf %lf %ld", &transfers, &simulated, &processor, &kibibytes) !=
        4) {
      std::exit(1);
    }
    processor_seconds.push_back(processor);
  }
  std::ranges::sort(seconds);
  std::ranges::sort(processor_seconds);
  const double median = seconds[seconds.size() / 2];
  std::printf("| %s | %ju | %.4f s | %.3f s | %.3f s | %.3f s | %.3f s | %.0f k | %ld MiB |\n", name,
              transfers, simulated, median, seconds.front(), seconds.back(),
              processor_seconds[processor_seconds.size() / 2], static_cast<double>(transfers) / median / 1e3,
              kibibytes / 1024);
}

/// TinyLlama split over all cards of a cluster; cards beyond those that get a share of anything only take
/// part in the collectives.
Plan split_over_all(const Problem& problem, Algorithm algorithm) {
  const ModelShape& shape = problem.model.shape;
  const std::uint32_t cards = problem.cluster.card_count;
  Stage stage;
  stage.last_layer = shape.num_hidden_layers - 1;
  const auto deal = [cards]<class T>(std::vector<T>& shares, T total, T unit) {
    const T units = (total + unit - 1) / unit;
    T dealt = 0;
    for (std::uint32_t card = 0; card < cards; ++card) {
      const T end = std::min<T>(total, units * (card + 1) / cards * unit);
      shares.push_back(end - dealt);
      dealt = end;
    }
  };
  for (CardId card = 0; card < cards; ++card) stage.cards.push_back(card);
  deal(stage.shares.query_heads, shape.num_attention_heads, problem.head_unit);
  deal(stage.shares.ffn_columns, std::uint64_t{shape.intermediate_size}, problem.column_unit);
  deal(stage.shares.vocabulary_rows, std::uint64_t{shape.vocab_size}, problem.row_unit);
  stage.decode = stage.prefill = {algorithm, Algorithm::kTree};
  Plan plan;
  plan.stages.push_back(std::move(stage));
  plan.gather = Algorithm::kTree;
  return plan;
}

/// Of the simulation of one token after a prompt of one, children included.
void report_token(const char* name, Topology topology, std::uint32_t cards, Algorithm algorithm, int runs) {
  auto model = load_model("tinyllama-1.1b", std::nullopt);
  Workload workload;
  workload.prompt = 1;
  auto made =
      model ? Problem::make(*model, cluster_of(topology, 2), workload) : tl::unexpected(model.error());
  if (!made) std::exit(1);
  const Problem problem = made->with_cluster(cluster_of(topology, cards));
  const Plan plan = split_over_all(problem, algorithm);
  std::vector<double> seconds;
  std::uint64_t steps = 0;
  for (int run = 0; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    const auto simulation = simulate(problem, plan, {});
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (!simulation || simulation->outcome != SimulationOutcome::kFinished) std::exit(1);
    steps = simulation->steps_done;
  }
  std::ranges::sort(seconds);
  rusage own{};
  rusage children{};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  std::printf("| %s | %ju | %.3f s | %.3f s | %.3f s | %ld MiB |\n", name, steps, seconds[seconds.size() / 2],
              seconds.front(), seconds.back(), std::max(own.ru_maxrss, children.ru_maxrss) / 1024);
}

}  // namespace
}  // namespace spanker

int main() {
  using namespace spanker;
  std::printf(
      "| simulation | transfers | simulated | median | least | most | processor | transfers/s | memory |\n");
  std::printf("|---|---|---|---|---|---|---|---|---|\n");
  report("1000 ring all-reduces of 8 KiB over a ring of 8", Topology::kRing, 8, Algorithm::kRing, 8192, 1000,
         5);
  report("44 ring all-reduces of 8 KiB over a ring of 64", Topology::kRing, 64, Algorithm::kRing, 8192, 44,
         5);
  report("44 tree all-reduces of 8 KiB over a star of 4096", Topology::kStar, 4096, Algorithm::kTree, 8192,
         44, 3);
  std::printf(
      "\n| a prompt of one and a token of tinyllama-1.1b | steps | median | least | most | peak memory |\n");
  std::printf("|---|---|---|---|---|---|\n");
  report_token("over a ring of 64, by ring all-reduces", Topology::kRing, 64, Algorithm::kRing, 5);
  report_token("over a star of 4096, by tree all-reduces", Topology::kStar, 4096, Algorithm::kTree, 3);
  return 0;
}
