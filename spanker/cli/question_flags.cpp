#include "spanker/cli/question_flags.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "spanker/cli/options.hpp"
#include "spanker/cli/whole_number.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

/// The lengths that were given, and defaults that agree with them: a context has room for prompt and
/// generated tokens, and where it is given they shrink to it.
void set_lengths(const QuestionFlags& flags, Workload& workload) {
  const Workload defaults;
  workload.prompt = flags.prompt.value_or(defaults.prompt);
  workload.generate = flags.generate.value_or(defaults.generate);
  if (!flags.context) {
    const bool countable = workload.prompt <= UINT64_MAX - workload.generate;
    workload.context =
        std::max(defaults.context, countable ? workload.prompt + workload.generate : UINT64_MAX);
    return;
  }
  workload.context = *flags.context;
  const auto room_beside = [&](std::uint64_t used) {
    return std::max<std::uint64_t>(1, workload.context - std::min(used, workload.context));
  };
  if (!flags.generate) workload.generate = std::min(defaults.generate, room_beside(flags.prompt.value_or(1)));
  if (!flags.prompt) workload.prompt = std::min(defaults.prompt, room_beside(workload.generate));
}

}  // namespace

void add_question_flags(CLI::App& command, QuestionFlags& flags) {
  const CLI::Validator count64 = whole_number(UINT64_MAX);
  const CLI::Validator count32 = whole_number(UINT32_MAX);
  const CLI::Option* model =
      command
          .add_option("MODEL", flags.model,
                      "Preset name, or path to a GGUF file, a config.json or a plan file")
          ->required();
  command.add_option("--quant", flags.quant, "Weight type of a preset: q4_0 (default), q8_0, f16, ...");
  command.add_option("--cluster", flags.cluster, "Profile name or path to a TOML file")
      ->capture_default_str();
  command.add_option("--cards", flags.cards, "Number of cards, instead of the profile's")->check(count32);
  command
      .add_option(
          "--context", flags.context,
          "Positions that KV memory is kept for and decode is priced at (default 2048, or what prompt and\n"
          "generated tokens need)")
      ->check(count64);
  command
      .add_option("--prompt", flags.prompt, "Tokens of the prompt (default 512, or what --context leaves)")
      ->check(count64);
  command
      .add_option("--generate", flags.generate, "Tokens to generate (default 128, or what --context leaves)")
      ->check(count64);
  command.add_option("--streams", flags.streams, "Sequences kept at once")
      ->check(count64)
      ->capture_default_str();
  command
      .add_option("--objective", flags.objective,
                  "What to be best at: latency, throughput, first-token or session")
      ->capture_default_str();
  command.add_option("--strategy", flags.strategy, "auto, tensor, pipeline or single")->capture_default_str();
  command.add_option("--kv-dtype", flags.kv_type, "KV cache: f32, f16 or q8_0")->capture_default_str();
  command.add_option("--link-dtype", flags.link_type, "Vectors between cards: f32, f16 or q8_0")
      ->capture_default_str();
  command.add_option("--embedding", flags.embedding, "Where the embedding table lives: cards or host")
      ->capture_default_str();
  command.add_option("--checkpoint-bytes", flags.checkpoint_bytes,
                     "Checkpoints that go to host memory over a session, in bytes or as \"2 GB\"");
  command.add_option("--stream-bytes-per-token", flags.stream_bytes_per_token,
                     "Other data that comes from the host with each token");
  for (const CLI::Option* option : std::as_const(command).get_options()) {
    if (option != model && option->get_name() != "--help") flags.beside_model.push_back(option);
  }
}

Result<std::optional<PlannedProblem>> plan_file_from(const QuestionFlags& flags) {
  // A preset is meant by its name, whatever files there are.
  if (find_preset(flags.model) != nullptr || !is_plan_file(flags.model)) return std::nullopt;
  for (const CLI::Option* option : flags.beside_model) {
    if (option->count() == 0) continue;
    return bad_input(option->get_name(), "a plan file holds model, cluster and workload itself",
                     "no such flag beside a plan file", flags.model);
  }
  return read_plan_file(flags.model).map([](PlannedProblem planned) {
    return std::optional(std::move(planned));
  });
}

Result<Question> question_from(const QuestionFlags& flags) {
  Workload workload;
  set_lengths(flags, workload);
  workload.streams = flags.streams;
  auto strategies = strategies_from_flag(flags.strategy);
  if (!strategies) return tl::unexpected(strategies.error());
  auto objective = objective_from_flag(flags.objective);
  if (!objective) return tl::unexpected(objective.error());
  workload.objective = *objective;
  if (auto set = set_vector_types(flags.kv_type, flags.link_type, workload); !set)
    return Failure(set.error());
  auto embedding = embedding_from_flag(flags.embedding);
  if (!embedding) return tl::unexpected(embedding.error());
  workload.embedding = *embedding;
  auto checkpoint = bytes_from_flag(flags.checkpoint_bytes, "--checkpoint-bytes");
  if (!checkpoint) return tl::unexpected(checkpoint.error());
  workload.checkpoint_bytes = *checkpoint;
  auto streamed = bytes_from_flag(flags.stream_bytes_per_token, "--stream-bytes-per-token");
  if (!streamed) return tl::unexpected(streamed.error());
  workload.stream_bytes_per_token = *streamed;

  auto cluster = cluster_from_flags(flags.cluster, flags.cards);
  if (!cluster) return tl::unexpected(cluster.error());
  if (!strategies->single_card && cluster->card_count < 2) {
    return bad_input("--strategy", flags.strategy + " needs several cards", "two cards or more", "1");
  }
  auto model = model_from_flags(flags.model, flags.quant);
  if (!model) return tl::unexpected(model.error());
  auto problem = Problem::make(std::move(*model), std::move(*cluster), workload);
  if (!problem) return tl::unexpected(problem.error());
  return Question{std::move(*problem), *strategies};
}

}  // namespace spanker
