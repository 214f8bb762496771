#include "spanker/cli/run_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "spanker/base/text.hpp"
#include "spanker/cli/today.hpp"
#include "spanker/measure/machine.hpp"
#include "spanker/measure/measured_runs.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/report/chrome_trace.hpp"
#include "spanker/report/run_report.hpp"
#include "spanker/steps/lower.hpp"
#include "spanker/steps/predict_steps.hpp"

namespace spanker {
namespace {

/// The question whose every token is the mean of those that were decoded; nothing where none was, or the
/// cluster is made up.
std::optional<Problem> mean_token(const RunTask& task, const RunTimes& times) {
  if (!task.is_predicted || times.decoded == 0) return std::nullopt;
  Workload workload = task.problem.workload;
  workload.context = workload.prompt + (times.decoded + 1) / 2;
  workload.prompt = 1;
  workload.generate = 1;
  auto problem = Problem::make(task.problem.model, task.problem.cluster, workload);
  return problem ? std::optional(std::move(*problem)) : std::nullopt;
}

/// Seconds by kind of step, averaged over the passes that were timed.
std::vector<RunKind> kinds_of(const RunTask& task, const RunTimes& times,
                              const std::optional<Problem>& predicted) {
  KindTimes measured(times.graphs.decode);
  const std::uint64_t timed = std::min<std::uint64_t>(times.decoded, kMostTimedPasses);
  for (std::uint32_t instance = 0; instance < timed; ++instance) {
    std::vector<TimelineEntry> pass;
    std::ranges::copy_if(times.decode_timeline.entries, std::back_inserter(pass),
                         [&](const TimelineEntry& entry) { return entry.instance == instance; });
    measured.add(pass);
  }
  std::vector<RunKind> kinds;
  for (const KindSeconds& each : measured.mean()) {
    RunKind& kind = kinds.emplace_back();
    kind.kind = each.kind;
    kind.times = each.times;
    kind.measured = each.seconds;
  }
  if (!predicted) return kinds;
  const StepGraph graph = lower_decode(*predicted, task.plan);
  const Timeline timeline = predict_steps(graph, ClusterRates(predicted->cluster, Bound::kValue));
  for (const KindSeconds& each : seconds_by_kind(graph, timeline)) {
    for (RunKind& kind : kinds) {
      if (kind.kind == each.kind) kind.predicted = each.seconds;
    }
  }
  return kinds;
}

Result<void> write_trace(const std::string& path, const RunTask& task, const RunTimes& times) {
  std::vector<TraceInstance> instances = {{&times.graphs.prefill, "prefill"}};
  Timeline timeline = times.prefill_timeline;
  for (TimelineEntry entry : times.decode_timeline.entries) {
    entry.instance += 1;
    while (instances.size() <= entry.instance) {
      instances.push_back({&times.graphs.decode, fmt::format("token {}", instances.size())});
    }
    timeline.entries.push_back(entry);
  }
  return write_chrome_trace(path, task.problem.cluster, instances, timeline);
}

/// Text for a terminal: lines stay lines.
std::string printable(std::string_view text) {
  std::string out;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != '\n' && text[i] != '\t') continue;
    out += escape_control(text.substr(start, i - start));
    if (i < text.size()) out += text[i];
    start = i + 1;
  }
  return out;
}

bool is_exchange(std::string_view kind) {
  constexpr ExchangeUse kUses[] = {ExchangeUse::kBoundary, ExchangeUse::kStageInput,
                                   ExchangeUse::kAttentionOutput, ExchangeUse::kFfnOutput,
                                   ExchangeUse::kLogits};
  return std::ranges::any_of(kUses, [&](ExchangeUse use) { return to_string(use) == kind; });
}

/// A run for the runs file: what is neither exchange nor fixed cost of a pass is compute, and waiting for
/// others is transfer.
MeasuredRun recorded(const RunTask& task, const FinishedRun& run, const std::string& model,
                     const std::vector<RunKind>& kinds) {
  const Workload& workload = task.problem.workload;
  const Seconds token = run.times.decode / static_cast<double>(run.times.decoded);
  Seconds compute{0};
  Seconds overhead{0};
  for (const RunKind& kind : kinds) {
    if (kind.kind == to_string(StepKind::kPassOverhead))
      overhead += kind.measured;
    else if (!is_exchange(kind.kind))
      compute += kind.measured;
  }
  compute = std::min(compute, token);
  MeasuredRun measured;
  measured.cluster = task.is_predicted ? task.problem.cluster.name : "localhost";
  measured.device = fmt::format("{} with {} threads on {} cards", this_machine().processor, run.threads,
                                task.plan.cards_used());
  measured.model = model;
  measured.strategy = task.plan.strategy();
  measured.wire = workload.link_type;
  measured.kv_type = workload.kv_type;
  measured.context = run.times.decoded == 0 ? workload.prompt : workload.prompt + (run.times.decoded + 1) / 2;
  measured.cards = task.plan.cards_used();
  measured.seconds_per_token = token;
  measured.compute_seconds = compute;
  if (measured.cards > 1) measured.transfer_seconds = std::max(Seconds(0), token - compute - overhead);
  measured.samples = static_cast<std::uint32_t>(run.times.decoded);
  measured.source = "spanker run --record, " + today();
  return measured;
}

}  // namespace

Speaker::Speaker(const std::optional<Tokenizer>& tokenizer, std::span<const std::uint32_t> prompt,
                 std::span<const std::uint32_t> said_before, TextOutput output)
    : output_(std::move(output)) {
  if (!tokenizer) return;
  stream_.emplace(*tokenizer);
  // What is generated continues a text.
  for (const std::uint32_t id : prompt) stream_->push(id);
  for (const std::uint32_t id : said_before) text_ += stream_->push(id);
}

void Speaker::say(std::uint32_t token) {
  if (stream_) add(stream_->push(token));
}

void Speaker::finish() {
  if (stream_) add(stream_->finish());
}

std::optional<std::string> Speaker::text() const { return stream_ ? std::optional(text_) : std::nullopt; }

void Speaker::add(const std::string& piece) {
  text_ += piece;
  if (output_ && !piece.empty()) output_(printable(piece));
}

Outcome run_outcome(const RunTask& task, const FinishedRun& run, const RunOutput& output,
                    const Style& style) {
  if (output.trace) {
    if (auto written = write_trace(*output.trace, task, run.times); !written) {
      return Outcome::failed(written.error());
    }
  }
  const std::optional<Problem> mean = mean_token(task, run.times);
  std::optional<double> predicted;
  if (mean) predicted = 1 / decode_cost(*mean, task.plan, Bound::kValue).total().count();
  const std::vector<RunKind> kinds = kinds_of(task, run.times, mean);
  if (output.record) {
    if (run.times.decoded == 0) {
      return Outcome::failed({ErrorKind::kBadInput, "--record", "no token was decoded after the first",
                              "--generate 2 or more", std::to_string(run.tokens.size())});
    }
    const auto added = append_measured_runs(*output.record, {recorded(task, run, output.model, kinds)});
    if (!added) return Outcome::failed(added.error());
  }
  const RunReport report{.problem = task.problem,
                         .plan = task.plan,
                         .threads = run.threads,
                         .prompt_tokens = run.prompt_tokens,
                         .tokens = run.tokens,
                         .text = run.text,
                         .ending = to_string(run.ending),
                         .load = run.load,
                         .prefill = run.times.prefill,
                         .time_to_first_token = run.times.time_to_first_token,
                         .decode = run.times.decode,
                         .decoded = run.times.decoded,
                         .lateness = output.is_paced ? std::optional(run.times.lateness) : std::nullopt,
                         .predicted_tokens_per_second = predicted,
                         .predicted_context = mean ? mean->workload.context : 0,
                         .kinds = kinds};
  Outcome outcome =
      Outcome::fine(output.json ? to_json(report) : (report.text ? "\n\n" : "") + to_text(report, style));
  outcome.warnings = task.problem.cluster.warnings;
  return outcome;
}

}  // namespace spanker
