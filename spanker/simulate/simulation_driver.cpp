#include "spanker/simulate/simulation_driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "spanker/simulate/simulation_bytes.hpp"
#include "spanker/steps/lower.hpp"
#include "spanker/steps/predict_steps.hpp"

namespace spanker {
namespace {

/// No step instance has this tag.
constexpr Tag kArrival = std::numeric_limits<Tag>::max();

std::string because(const Obstacle& obstacle, const Network& network) {
  switch (obstacle.kind) {
    case Obstacle::Kind::kLinkDown:
      return fmt::format("link {} is down", network.link_name(obstacle.link));
    case Obstacle::Kind::kCardLost:
      return fmt::format("card {} is lost", obstacle.card);
    case Obstacle::Kind::kNoRoute:
      return "no route is up";
  }
  return {};
}

}  // namespace

std::uint32_t PassGraphs::index_of(PassShape shape) {
  const auto [entry, is_new] = indices_.try_emplace(shape, static_cast<std::uint32_t>(graphs_.size()));
  if (is_new) {
    PreparedGraph prepared(shape.kind == PassShape::Kind::kDecode
                               ? lower_decode(problem_, plan_, shape.size)
                               : lower_pass(problem_, plan_,
                                            prefill_pass(shape.size, problem_.workload.kv_type),
                                            &Stage::prefill));
    KindTimes times(prepared.graph());
    graphs_.push_back(std::make_unique<Graph>(Graph{std::move(prepared), std::move(times), 0}));
    shapes_.push_back(shape);
  }
  return entry->second;
}

SimulationDriver::SimulationDriver(const Problem& problem, const Scenario& scenario, PassGraphs& graphs,
                                   std::vector<std::uint64_t> micro_batches,
                                   std::span<const Request> requests, bool decode_together)
    : rates_(problem.cluster, Bound::kValue),
      scenario_(scenario),
      graphs_(graphs),
      requests_(requests),
      decode_together_(decode_together),
      micro_batches_(std::move(micro_batches)),
      batching_(micro_batches_, decode_together),
      passes_of_group_(micro_batches_.size(), 0),
      first_decoded_(requests.size(), Seconds(0)) {
  for (const Request& request : requests) result_.tokens_wanted += request.generate;
}

void SimulationDriver::start(ContentionEngine& engine) {
  runner_.emplace(rates_, engine);
  arrive(engine);
}

/// All requests whose time has come; then waits for the next.
void SimulationDriver::arrive(ContentionEngine& engine) {
  std::vector<PassJob> jobs;
  for (std::size_t next = batching_.requests().size(); next < requests_.size(); ++next) {
    if (requests_[next].at > engine.now()) {
      engine.at(requests_[next].at, kArrival);
      break;
    }
    for (PassJob& job : batching_.arrive(engine.now(), requests_[next].generate)) {
      jobs.push_back(std::move(job));
    }
  }
  start_passes(jobs);
}

void SimulationDriver::start_passes(std::span<const PassJob> jobs) {
  for (const PassJob& job : jobs) {
    const bool prefills = job.kind == PassShape::Kind::kPrefill;
    const std::uint64_t size = prefills ? requests_[job.requests.front()].prompt : job.requests.size();
    const std::uint32_t graph = graphs_.index_of({job.kind, size});
    const std::uint64_t number = prefills ? 0 : passes_of_group_[job.group]++;
    running_[runner_->start(graphs_.at(graph).prepared)] = {job, graph, number};
  }
}

void SimulationDriver::done(ContentionEngine& engine, Tag tag) {
  for (const std::uint32_t instance : runner_->done(tag)) pass_ended(engine, instance);
}

void SimulationDriver::lost(ContentionEngine& /*engine*/, Tag tag, const Obstacle& /*obstacle*/) {
  runner_->lost(tag);
}

void SimulationDriver::timer(ContentionEngine& engine, Tag tag) {
  if (tag == kArrival) {
    arrive(engine);
  } else {
    done(engine, tag);
  }
}

void SimulationDriver::pass_ended(ContentionEngine& engine, std::uint32_t instance) {
  const auto ended = running_.extract(instance);
  const Running& pass = ended.mapped();
  PassGraphs::Graph& graph = graphs_.at(pass.graph);
  graph.times.add(runner_->entries_of(instance));
  ++graph.passes;
  keep_entries(instance, pass);
  runner_->forget(instance);

  if (pass.job.kind == PassShape::Kind::kDecode) note_tokens(engine.now(), pass.job);
  start_passes(batching_.finish(engine.now(), pass.job));
  if (result_.tokens_wanted > 0) {
    engine.report_progress(static_cast<double>(result_.tokens_decoded) /
                           static_cast<double>(result_.tokens_wanted));
  }
}

void SimulationDriver::note_tokens(Seconds now, const PassJob& job) {
  for (const std::uint32_t request : job.requests) {
    const RequestProgress& progress = batching_.requests()[request];
    if (progress.tokens == 0) first_decoded_[request] = now;
    result_.token_seconds.push_back(now - std::max(progress.last_token, batching_.decode_start()));
  }
  result_.tokens_decoded += job.requests.size();
}

void SimulationDriver::keep_entries(std::uint32_t instance, const Running& pass) {
  if (!scenario_.keep_timeline) return;
  const auto number = static_cast<std::uint32_t>(result_.passes.size());
  result_.passes.push_back(
      {pass.graph, pass.job.kind == PassShape::Kind::kPrefill
                       ? fmt::format("prefill of request {}", pass.job.requests.front())
                       : fmt::format("token {} of batch {}", pass.number, pass.job.group)});
  for (TimelineEntry entry : runner_->entries_of(instance)) {
    // Steps that have not ended have no end.
    if (entry.end < entry.start || entry.end == Seconds(0)) continue;
    entry.instance = number;
    result_.timeline.entries.push_back(entry);
  }
}

std::uint64_t SimulationDriver::steps_needed() {
  const auto steps = [&](PassShape shape) {
    return std::uint64_t{graphs_.at(graphs_.index_of(shape)).prepared.graph().size()};
  };
  std::uint64_t sum = 0;
  for (const Request& request : requests_) sum += steps({PassShape::Kind::kPrefill, request.prompt});
  for (const std::uint64_t size : micro_batches_) {
    sum += scenario_.tokens * steps({PassShape::Kind::kDecode, size});
  }
  return sum;
}

double SimulationDriver::tokens_per_second() const {
  if (result_.tokens_decoded == 0) return 0;
  const auto& requests = batching_.requests();
  Seconds from = batching_.decode_start();
  Seconds to{0};
  double tokens = 0;
  for (const RequestProgress& request : requests) {
    to = std::max(to, request.last_token);
    tokens += static_cast<double>(request.tokens);
  }
  const bool in_step = decode_together_ && std::ranges::all_of(requests, [](const RequestProgress& request) {
                         return request.tokens == request.generate && request.generate > 1;
                       });
  if (in_step) {
    from = std::ranges::max(first_decoded_);
    tokens -= static_cast<double>(requests.size());
  }
  return tokens / (to - from).count();
}

std::string SimulationDriver::describe(StepInstance at) const {
  const Running& pass = running_.at(at.instance);
  const StepGraph& graph = graphs_.at(pass.graph).prepared.graph();
  const Step& step = graph.step(at.step);
  const std::string layer = step.layer == kNoIndex ? "" : fmt::format(" of layer {}", step.layer);
  switch (step.kind) {
    case StepKind::kKernel:
      return fmt::format("{}{} on card {}", to_string(step.op), layer, step.card);
    case StepKind::kSend: {
      const Exchange& exchange = graph.exchanges()[step.exchange];
      return fmt::format("send for {} of layer {} from card {} to card {}", to_string(exchange.use),
                         exchange.layer, step.card, step.to);
    }
    case StepKind::kUpload:
    case StepKind::kDownload:
    case StepKind::kPassOverhead:
    case StepKind::kCollective:
    case StepKind::kJoin:
      break;
  }
  return fmt::format("{} on card {}", to_string(step.kind), step.card);
}

void SimulationDriver::judge(ContentionEngine& engine, std::span<const WaitingActivity> waiting) {
  const bool all_there = batching_.requests().size() == requests_.size() &&
                         std::ranges::all_of(batching_.requests(), &RequestProgress::finished);
  if (all_there) return;
  const bool lost = std::ranges::any_of(
      waiting, [](const WaitingActivity& each) { return each.obstacle.kind == Obstacle::Kind::kCardLost; });
  result_.outcome = lost ? SimulationOutcome::kFailed : SimulationOutcome::kStalled;
  for (const WaitingActivity& each : waiting.first(std::min(waiting.size(), kMostUnfinishedSteps))) {
    result_.unfinished.push_back(
        {describe(StepInstance::of(each.tag)), because(each.obstacle, engine.network())});
  }
}

std::string SimulationDriver::finish(ContentionEngine& engine, std::span<const WaitingActivity> waiting) {
  judge(engine, waiting);
  for (const auto& [instance, pass] : running_) keep_entries(instance, pass);
  result_.steps_done = runner_->steps_done();
  result_.steps_total = decode_together_ ? steps_needed() : runner_->steps_total();
  result_.shapes = graphs_.shapes();
  result_.sends_repeated = runner_->sends_repeated();
  result_.makespan = runner_->last_end();
  result_.tokens_per_second = tokens_per_second();
  for (const RequestProgress& request : batching_.requests()) {
    if (request.prefilled) result_.first_tokens.push_back(request.first_token - request.arrived);
  }
  for (const Seconds busy : runner_->card_busy()) {
    result_.card_busy.push_back(result_.makespan.count() > 0 ? busy / result_.makespan : 0);
  }
  result_.links = runner_->link_uses();

  std::uint32_t compared = 0;
  std::uint64_t most_passes = 0;
  for (std::uint32_t i = 0; i < graphs_.size(); ++i) {
    const PassGraphs::Graph& graph = graphs_.at(i);
    for (const Exchange& exchange : graph.prepared.graph().exchanges()) {
      if (!exchange.expanded) result_.collapsed += graph.passes;
    }
    if (graphs_.shapes()[i].kind != PassShape::Kind::kDecode || graph.passes <= most_passes) continue;
    most_passes = graph.passes;
    compared = i;
  }
  if (most_passes > 0) {
    const PassGraphs::Graph& graph = graphs_.at(compared);
    result_.compared_batch = graphs_.shapes()[compared].size;
    const auto simulated = graph.times.mean();
    const auto predicted =
        seconds_by_kind(graph.prepared.graph(), predict_steps(graph.prepared.graph(), rates_));
    for (std::size_t i = 0; i < simulated.size(); ++i) {
      result_.kinds.push_back(
          {std::string(simulated[i].kind), simulated[i].times, predicted[i].seconds, simulated[i].seconds});
    }
  }
  return to_bytes(result_);
}

}  // namespace spanker
