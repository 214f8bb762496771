#include "spanker/run/run_card.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "spanker/comm/byte_messages.hpp"
#include "spanker/plan/price.hpp"
#include "spanker/run/pass_runner.hpp"
#include "spanker/run/weight_tensor.hpp"

namespace spanker {
namespace {

using Token = std::optional<std::uint32_t>;

/// All cards learn the next token from card 0. Not as a vector: in a cluster each would have it from the
/// host.
Result<Token> share_token(Endpoint& endpoint, const Token& own) {
  if (endpoint.transport().card_count() == 1) return own;
  std::string sent(own ? sizeof *own : 0, '\0');
  if (own) std::memcpy(sent.data(), &*own, sent.size());
  const auto got = broadcast_bytes(endpoint, sent);
  if (!got) return Failure(got.error());
  if (got->size() != sizeof(std::uint32_t)) return Token();
  std::uint32_t token = 0;
  std::memcpy(&token, got->data(), sizeof token);
  return Token(token);
}

StepId overhead_step(const StepGraph& graph) {
  StepId id = static_cast<StepId>(graph.size() - 1);
  while (graph.step(id).kind != StepKind::kPassOverhead) --id;
  return id;
}

class CardRun {
 public:
  CardRun(const CardJob& job, Endpoint& endpoint, CardClocks& clocks)
      : job_(job),
        endpoint_(endpoint),
        clocks_(clocks),
        samples_(job.card.shard().samples),
        start_(Clock::now()) {}

  Result<CardTimes> run(PassRunner& prefill, PassRunner& decode) {
    CardTimes times;
    if (job_.pace != nullptr) {
      // All cards of the first stage wait for the prompt.
      spend_upload(job_.prompt.size());
      if (auto started = broadcast_bytes(endpoint_, {}); !started) return Failure(started.error());
    }
    begin_step(0);
    if (auto done = run_pass(prefill, job_.prompt, 0, clocks_.prefill); !done) return Failure(done.error());
    times.prefill = now();
    auto token = next_token(job_.graphs.prefill, clocks_.prefill);
    if (!token) return Failure(token.error());
    times.time_to_first_token = now();
    for (std::size_t position = job_.prompt.size(); token->has_value(); ++position) {
      clocks_.decode.begin_pass(static_cast<std::uint32_t>(times.decoded));
      begin_step(times.decoded + 1);
      const std::uint32_t tokens[] = {**token};
      if (auto done = run_pass(decode, tokens, position, clocks_.decode); !done) return Failure(done.error());
      ++times.decoded;
      token = next_token(job_.graphs.decode, clocks_.decode);
      if (!token) return Failure(token.error());
      times.decode = now() - times.time_to_first_token;
    }
    if (job_.pace != nullptr) times.lateness = job_.pace->clock.lateness();
    return times;
  }

 private:
  using Clock = std::chrono::steady_clock;

  Seconds now() const { return Clock::now() - start_; }
  void begin_step(std::uint64_t token) { endpoint_.set_step(fmt::format("token {}", token + 1)); }

  Result<void> run_pass(PassRunner& runner, std::span<const std::uint32_t> tokens, std::size_t position,
                        StepClock& clock) {
    job_.card.begin_pass(tokens, position);
    const bool host_looks_up = job_.problem.workload.embedding == EmbeddingPlace::kHost;
    if (host_looks_up && samples_) {
      for (std::size_t row = 0; row < tokens.size(); ++row) {
        const std::uint64_t hidden = job_.problem.model.shape.hidden_size;
        const auto vector = elements_of(job_.file.files, "token_embd.weight", {tokens[row] * hidden, hidden});
        if (!vector) return tl::unexpected(vector.error());
        std::ranges::copy(*vector, job_.card.residual_row(row).begin());
      }
    }
    return runner.run(clock);
  }

  /// For the card that samples, choosing is the fixed cost of a pass.
  Result<Token> next_token(const StepGraph& graph, StepClock& clock) {
    Token token;
    if (samples_) {
      const Seconds start = clock.now();
      token = job_.next(job_.card.logits());
      if (job_.pace != nullptr) job_.pace->clock.spend(job_.pace->rates.token_overhead);
      clock.note_step(overhead_step(graph), start, clock.now());
      spend_download();
      if (token) spend_upload(1);
    }
    return share_token(endpoint_, token);
  }

  void spend_upload(std::uint64_t rows) {
    if (job_.pace == nullptr || !samples_) return;
    const LinkRates& host = job_.pace->host;
    job_.pace->clock.spend(host.latency + uploaded_bytes(job_.problem, rows) / host.bandwidth);
  }
  void spend_download() {
    if (job_.pace == nullptr) return;
    const LinkRates& host = job_.pace->host;
    job_.pace->clock.spend(host.latency + downloaded_bytes(1) / host.bandwidth);
    job_.pace->clock.wait([&] { endpoint_.transport().poll(); });
  }

  const CardJob& job_;
  Endpoint& endpoint_;
  CardClocks& clocks_;
  const bool samples_;
  const Clock::time_point start_;
};

Result<CardTimes> run_on(const CardJob& job, Communicator& world, CardClocks& clocks) {
  auto prefill = PassRunner::make(job.problem, job.plan, job.graphs.prefill, job.card, world,
                                  {job.pace, job.native_all_reduce});
  if (!prefill) return Failure(prefill.error());
  auto decode = PassRunner::make(job.problem, job.plan, job.graphs.decode, job.card, world,
                                 {job.pace, job.native_all_reduce});
  if (!decode) return Failure(decode.error());
  return CardRun(job, world.endpoint(), clocks).run(*prefill, *decode);
}

}  // namespace

CardClocks card_clocks(CardId card, StepClock::Time start) {
  return {StepClock(card, start, 1), StepClock(card, start, kMostTimedPasses)};
}

Result<CardTimes> run_card(const CardJob& job, CardClocks& clocks) {
  if (job.pace == nullptr) return run_on(job, job.world, clocks);
  clocks.prefill.follow(job.pace->clock);
  clocks.decode.follow(job.pace->clock);
  Endpoint& fast = job.world.endpoint();
  Endpoint endpoint(std::make_unique<PacedTransport>(fast.transport(), job.pace->clock, job.pace->routes),
                    fast.timeout());
  std::vector<std::uint32_t> ranks;
  for (std::uint32_t rank = 0; rank < job.world.size(); ++rank) ranks.push_back(job.world.card(rank));
  auto world = Communicator(endpoint).group(ranks);
  if (!world) return Failure(world.error());
  auto times = run_on(job, *world, clocks);
  if (!times) return times;
  // What others still read goes with the endpoint.
  if (auto done = endpoint.transport().finish_sends(endpoint.timeout()); !done) return Failure(done.error());
  return times;
}

Result<void> follow_run(Endpoint& endpoint, bool is_paced) {
  if (is_paced) {
    // As fast as it hears of tokens, but in the form in which the others send them.
    PacedClock clock(std::chrono::steady_clock::now());
    Endpoint paced(std::make_unique<PacedTransport>(endpoint.transport(), clock, PacedRoutes()),
                   endpoint.timeout());
    if (auto started = broadcast_bytes(paced, {}); !started) return Failure(started.error());
    return follow_run(paced, false);
  }
  for (;;) {
    const auto token = share_token(endpoint, std::nullopt);
    if (!token) return Failure(token.error());
    if (!*token) return {};
  }
}

}  // namespace spanker
