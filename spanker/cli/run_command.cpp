#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "spanker/base/text.hpp"
#include "spanker/cli/commands.hpp"
#include "spanker/cli/interrupt.hpp"
#include "spanker/cli/options.hpp"
#include "spanker/cli/whole_number.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/plan/predict.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/plan/validate.hpp"
#include "spanker/report/chrome_trace.hpp"
#include "spanker/report/run_report.hpp"
#include "spanker/run/generate.hpp"
#include "spanker/run/machine_cluster.hpp"
#include "spanker/run/same_model.hpp"
#include "spanker/steps/predict_steps.hpp"
#include "spanker/tokenizer/text_stream.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp =
    R"(Cards are threads of this program, each with its part of the model in memory of its own; they exchange vectors as
cards on a network would, by the plan's collectives.

Examples:
  spanker synth tinyllama-1.1b tiny.gguf && spanker run tiny.gguf --prompt "Hello"
  spanker run model.gguf --cards 4 --prompt "Once upon a time" --generate 100
  spanker plan model.gguf --cards 3 --out plan.json && spanker run model.gguf --plan plan.json --prompt "Hello"
  spanker run model.gguf --tokens 1,15043 --temperature 0.8 --top-p 0.95 --seed 7 --json)";

struct Flags {
  std::string model;
  std::optional<std::string> plan;
  std::optional<std::string> cluster;
  std::optional<std::uint32_t> cards;
  std::string strategy = "auto";
  std::optional<std::string> prompt;
  std::optional<std::string> tokens;
  std::uint64_t generate = 128;
  std::optional<std::uint64_t> context;
  std::string kv_type = "f16";
  std::string link_type = "f32";
  std::size_t threads = 0;
  GenerateOptions sampling;
  std::optional<std::string> trace;
  bool json = false;
};

/// What is run: the question, the plan, and whether its cluster is more than made up.
struct Task {
  Problem problem;
  Plan plan;
  bool is_predicted;
};

Failure no_weights(const std::string& model) {
  return bad_input(model, "has no weights to run", "a GGUF file (spanker synth writes one of random weights)",
                   find_preset(model) != nullptr ? "a preset's name" : "a config.json");
}

Result<ModelFile> open_model(const std::string& model) {
  if (find_preset(model) != nullptr || model.ends_with(".json")) return no_weights(model);
  return ModelFile::open(model);
}

/// "1,15043".
Result<std::vector<std::uint32_t>> ids_from(const std::string& list) {
  std::vector<std::uint32_t> ids;
  const char* at = list.data();
  const char* end = at + list.size();
  for (;;) {
    std::uint32_t id = 0;
    const auto [rest, error] = std::from_chars(at, end, id);
    if (error != std::errc{} || (rest != end && *rest != ',')) {
      return bad_input("--tokens", "not a list of token ids", "whole numbers with commas between, as 1,15043",
                       fmt::format("\"{}\"", list));
    }
    ids.push_back(id);
    if (rest == end) return ids;
    at = rest + 1;
  }
}

/// The file's tokenizer; nothing where it has none, which matters to --prompt alone.
Result<std::optional<Tokenizer>> tokenizer_of(const ModelFile& file, bool is_needed) {
  constexpr std::string_view kKind = "tokenizer.ggml.model";
  if (!is_needed && file.files.metadata().find(kKind) == nullptr) return std::nullopt;
  return Tokenizer::from_gguf(file.files).map([](Tokenizer tokenizer) {
    return std::optional(std::move(tokenizer));
  });
}

Result<std::vector<std::uint32_t>> prompt_of(const Flags& flags, const ModelFile& file,
                                             const std::optional<Tokenizer>& tokenizer) {
  const bool is_text = flags.prompt.has_value();
  auto ids = is_text ? tokenizer->encode(*flags.prompt) : ids_from(*flags.tokens);
  if (!ids) return ids;
  const std::string_view flag = is_text ? "--prompt" : "--tokens";
  if (auto sound = check_prompt(file.model.shape, *ids, flag); !sound) return tl::unexpected(sound.error());
  const std::uint64_t most = file.model.shape.max_position_embeddings;
  if (ids->size() >= most || flags.generate > most - ids->size()) {
    return bad_input(std::string(flag), "prompt and generated tokens are more than the model's context",
                     fmt::format("at most {} together", most),
                     fmt::format("{} and {}", ids->size(), flags.generate));
  }
  return ids;
}

/// The workload that flags and prompt tell.
Result<Workload> workload_from(const Flags& flags, const Model& model, std::uint64_t prompt) {
  Workload workload;
  workload.prompt = prompt;
  workload.generate = flags.generate;
  const std::uint64_t usual = std::min<std::uint64_t>(workload.context, model.shape.max_position_embeddings);
  workload.context = flags.context.value_or(std::max(usual, prompt + flags.generate));
  auto kv_type = vector_type_from_flag(flags.kv_type, "--kv-dtype");
  if (!kv_type) return tl::unexpected(kv_type.error());
  workload.kv_type = *kv_type;
  auto link_type = vector_type_from_flag(flags.link_type, "--link-dtype");
  if (!link_type) return tl::unexpected(link_type.error());
  workload.link_type = *link_type;
  return workload;
}

Result<Task> planned_task(const Flags& flags, const ModelFile& file, std::uint64_t prompt) {
  auto planned = read_plan_file(*flags.plan);
  if (!planned) return tl::unexpected(planned.error());
  if (auto same = check_same_model(planned->problem.model, file.model, *flags.plan); !same) {
    return tl::unexpected(same.error());
  }
  Workload workload = planned->problem.workload;
  workload.prompt = prompt;
  workload.generate = flags.generate;
  const std::uint64_t positions = prompt + flags.generate;
  if (positions > workload.context) {
    return bad_input(*flags.plan, "its context is too short for the prompt and what is generated",
                     fmt::format("{} or more", positions), std::to_string(workload.context));
  }
  auto problem = Problem::make(file.model, planned->problem.cluster, workload);
  if (!problem) return tl::unexpected(problem.error());
  if (auto sound = validate(*problem, planned->plan); !sound) return tl::unexpected(sound.error());
  return Task{std::move(*problem), std::move(planned->plan), true};
}

Result<Task> searched_task(const Flags& flags, const ModelFile& file, std::uint64_t prompt) {
  const auto workload = workload_from(flags, file.model, prompt);
  if (!workload) return tl::unexpected(workload.error());
  const auto strategies = strategies_from_flag(flags.strategy);
  if (!strategies) return tl::unexpected(strategies.error());
  auto cluster = flags.cluster
                     ? cluster_from_flags(*flags.cluster, flags.cards)
                     : Result<Cluster>(unmeasured_machine(flags.cards.value_or(1), available_memory()));
  if (!cluster) return tl::unexpected(cluster.error());
  if (!strategies->single_card && cluster->card_count < 2) {
    return bad_input("--strategy", flags.strategy + " needs several cards", "two cards or more", "1");
  }
  auto problem = Problem::make(file.model, std::move(*cluster), *workload);
  if (!problem) return tl::unexpected(problem.error());
  auto plan = search(*problem, *strategies);
  if (!plan) {
    const auto why = answer(*problem, *strategies);
    const auto* none = std::get_if<NoPlan>(&why);
    return tl::unexpected(
        Error{ErrorKind::kInfeasible, "plan", none != nullptr ? none->reason : "none was found", "", ""});
  }
  return Task{std::move(*problem), std::move(*plan), flags.cluster.has_value()};
}

/// Seconds by kind of step, averaged over the passes that were timed.
std::vector<RunKind> kinds_of(const Task& task, const RunTimes& times) {
  KindTimes measured(times.decode_graph);
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
  if (!task.is_predicted) return kinds;
  const Timeline predicted =
      predict_steps(times.decode_graph, ClusterRates(task.problem.cluster, Bound::kValue));
  for (const KindSeconds& each : seconds_by_kind(times.decode_graph, predicted)) {
    for (RunKind& kind : kinds) {
      if (kind.kind == each.kind) kind.predicted = each.seconds;
    }
  }
  return kinds;
}

Result<void> write_trace(const std::string& path, const Task& task, const RunTimes& times) {
  std::vector<TraceInstance> instances = {{&times.prefill_graph, "prefill"}};
  Timeline timeline = times.prefill_timeline;
  for (TimelineEntry entry : times.decode_timeline.entries) {
    entry.instance += 1;
    while (instances.size() <= entry.instance) {
      instances.push_back({&times.decode_graph, fmt::format("token {}", instances.size())});
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

/// The text of the tokens as they come.
class Speaker {
 public:
  Speaker(const std::optional<Tokenizer>& tokenizer, std::span<const std::uint32_t> prompt, TextOutput output)
      : output_(std::move(output)) {
    if (!tokenizer) return;
    stream_.emplace(*tokenizer);
    // What is generated continues a text.
    for (const std::uint32_t id : prompt) stream_->push(id);
  }

  void say(std::uint32_t token) {
    if (stream_) add(stream_->push(token));
  }
  void finish() {
    if (stream_) add(stream_->finish());
  }
  /// Nothing where there is no tokenizer.
  std::optional<std::string> text() const { return stream_ ? std::optional(text_) : std::nullopt; }

 private:
  void add(const std::string& piece) {
    text_ += piece;
    if (output_ && !piece.empty()) output_(printable(piece));
  }

  std::optional<TextStream> stream_;
  std::string text_;
  TextOutput output_;
};

Outcome run_model(const Flags& flags, const CommandContext& context) {
  if (flags.prompt.has_value() == flags.tokens.has_value()) {
    return Outcome::failed(bad_input("spanker run", "what to continue is not clear",
                                     "either --prompt or --tokens", flags.prompt ? "both" : "neither")
                               .value());
  }
  if (auto sampler = Sampler::make(flags.sampling.sampling); !sampler)
    return Outcome::failed(sampler.error());
  const auto file = open_model(flags.model);
  if (!file) return Outcome::failed(file.error());
  const auto tokenizer = tokenizer_of(*file, flags.prompt.has_value());
  if (!tokenizer) return Outcome::failed(tokenizer.error());
  const auto prompt = prompt_of(flags, *file, *tokenizer);
  if (!prompt) return Outcome::failed(prompt.error());
  const auto task =
      flags.plan ? planned_task(flags, *file, prompt->size()) : searched_task(flags, *file, prompt->size());
  if (!task) return Outcome::failed(task.error());

  const Seconds start = context.progress.now();
  const auto cards = load_cards(*file, task->problem, task->plan, flags.threads, available_memory());
  if (!cards) return Outcome::failed(cards.error());
  const Seconds load = context.progress.now() - start;

  std::string said;
  const TextOutput collect = [&](std::string_view piece) { said += piece; };
  const TextOutput& output = context.text ? context.text : collect;
  Speaker speaker(*tokenizer, *prompt, flags.json ? TextOutput() : output);
  const auto generation = [&] {
    const InterruptWatch watch;
    return generate(*file, task->problem, task->plan, *cards, *prompt, flags.sampling,
                    *tokenizer ? &**tokenizer : nullptr, [&](std::uint32_t token) {
                      speaker.say(token);
                      return !watch.interrupted();
                    });
  }();
  if (!generation) return Outcome::failed(generation.error());
  speaker.finish();
  const RunTimes& times = generation->times;
  if (flags.trace) {
    if (auto written = write_trace(*flags.trace, *task, times); !written)
      return Outcome::failed(written.error());
  }

  std::size_t threads = 0;
  for (const auto& card : *cards) threads += card->threads();
  std::optional<double> predicted;
  if (task->is_predicted) predicted = predict(task->problem, task->plan).tokens_per_second();
  const RunReport report{.problem = task->problem,
                         .plan = task->plan,
                         .threads = threads,
                         .tokens = generation->tokens,
                         .text = speaker.text(),
                         .ending = to_string(generation->ending),
                         .load = load,
                         .prefill = times.prefill,
                         .time_to_first_token = times.time_to_first_token,
                         .decode = times.decode,
                         .decoded = times.decoded,
                         .predicted_tokens_per_second = predicted,
                         .kinds = kinds_of(*task, times)};
  Outcome outcome = Outcome::fine(
      flags.json ? to_json(report) : said + (report.text ? "\n\n" : "") + to_text(report, context.style));
  outcome.warnings = task->problem.cluster.warnings;
  return outcome;
}

}  // namespace

void add_run_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("run", "Generate text with a model, split over cards of this machine");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  SamplingOptions& sampling = flags->sampling.sampling;
  command->add_option("MODEL", flags->model, "Path to a GGUF file")->required();
  CLI::Option* plan =
      command->add_option("--plan", flags->plan, "Plan file (spanker plan --out), instead of a new plan");
  const auto unless_planned = [&](CLI::Option* option) { option->excludes(plan); };
  unless_planned(command->add_option(
      "--cluster", flags->cluster,
      "Profile name or path to a TOML file, to plan for and to compare with (default: this machine)"));
  unless_planned(command->add_option("--cards", flags->cards, "Number of cards (default 1, or the profile's)")
                     ->check(whole_number(UINT32_MAX)));
  unless_planned(command->add_option("--strategy", flags->strategy, "auto, tensor, pipeline or single")
                     ->capture_default_str());
  command->add_option("--prompt", flags->prompt, "Text to continue");
  command->add_option("--tokens", flags->tokens, "Token ids to continue, as 1,15043");
  command->add_option("--generate", flags->generate, "Tokens to generate")
      ->check(whole_number(UINT32_MAX))
      ->capture_default_str();
  unless_planned(
      command
          ->add_option(
              "--context", flags->context,
              "Positions that KV memory is kept for (default 2048, or what prompt and generated tokens need)")
          ->check(whole_number(UINT32_MAX)));
  unless_planned(
      command->add_option("--kv-dtype", flags->kv_type, "KV cache: f32, f16 or q8_0")->capture_default_str());
  unless_planned(
      command->add_option("--link-dtype", flags->link_type, "Vectors between cards: f32, f16 or q8_0")
          ->capture_default_str());
  command
      ->add_option("--threads", flags->threads,
                   "Threads of all cards together (default: as many as there are)")
      ->check(whole_number(1024));
  command
      ->add_option("--temperature", sampling.temperature,
                   "0: always the likeliest token; above: the larger, the more even the choice")
      ->capture_default_str();
  command->add_option("--top-k", sampling.top_k, "Only so many of the likeliest tokens; 0: all")
      ->check(whole_number(UINT32_MAX))
      ->capture_default_str();
  command->add_option("--top-p", sampling.top_p, "Only the likeliest tokens that together are so likely")
      ->capture_default_str();
  command->add_option("--seed", sampling.seed, "Which choices, where there is one")
      ->check(whole_number(UINT64_MAX))
      ->capture_default_str();
  command->add_flag("--ignore-eos", flags->sampling.ignores_end, "Go on after tokens that end an answer");
  command->add_option("--trace", flags->trace,
                      "Path of a Chrome trace to write (chrome://tracing, Perfetto)");
  command->add_flag("--json", flags->json, "One JSON object instead of text and tables");
  command->callback([flags, &context] { context.outcome = run_model(*flags, context); });
}

}  // namespace spanker
