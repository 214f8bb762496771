#include "spanker/cli/run_task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

#include "spanker/cli/no_plan.hpp"
#include "spanker/cli/options.hpp"
#include "spanker/cluster/localhost.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/explain.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/plan/validate.hpp"
#include "spanker/run/generate.hpp"
#include "spanker/run/machine_cluster.hpp"
#include "spanker/run/same_model.hpp"

namespace spanker {
namespace {

using NoRun = tl::unexpected<Outcome>;

NoRun no_run(const Error& error) { return NoRun(Outcome::failed(error)); }

Failure no_weights(const std::string& model) {
  return bad_input(model, "has no weights to run", "a GGUF file (spanker synth writes one of random weights)",
                   find_preset(model) != nullptr ? "a preset's name" : "a config.json");
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

Result<std::vector<std::uint32_t>> prompt_of(const RunFlags& flags, const ModelFile& file,
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
Result<Workload> workload_from(const RunFlags& flags, const Model& model, std::uint64_t prompt) {
  Workload workload;
  workload.prompt = prompt;
  workload.generate = flags.generate;
  const std::uint64_t usual = std::min<std::uint64_t>(workload.context, model.shape.max_position_embeddings);
  workload.context = flags.context.value_or(std::max(usual, prompt + flags.generate));
  if (auto set = set_vector_types(flags.kv_type, flags.link_type, workload); !set)
    return Failure(set.error());
  return workload;
}

Result<RunTask> planned_task(const RunFlags& flags, const ModelFile& file, std::uint64_t prompt) {
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
  return RunTask{std::move(*problem), std::move(planned->plan), true};
}

/// The profile `localhost`, which stands for what was measured: as many cards, and all threads. Nothing where
/// this machine was not measured like that.
Result<std::optional<Cluster>> measured_machine(const RunFlags& flags, std::uint32_t cards) {
  const auto path = localhost_profile_path();
  std::error_code ignored;
  if (flags.cluster || flags.threads > 0 || !path || !std::filesystem::exists(*path, ignored)) {
    return std::nullopt;
  }
  auto cluster = load_cluster(*path);
  if (!cluster) return Failure(cluster.error());
  if (cluster->card_count != cards) return std::nullopt;
  return std::optional(std::move(*cluster));
}

tl::expected<RunTask, Outcome> searched_task(const RunFlags& flags, const ModelFile& file,
                                             std::uint64_t prompt, std::optional<std::uint32_t> cards) {
  if (flags.options.is_paced && !flags.cluster) {
    return no_run(bad_input("--pace", "paces what is not known", "--cluster or --plan", "neither").value());
  }
  const auto workload = workload_from(flags, file.model, prompt);
  if (!workload) return no_run(workload.error());
  const auto strategies = strategies_from_flag(flags.strategy);
  if (!strategies) return no_run(strategies.error());
  if (flags.cards) cards = flags.cards;
  const std::uint32_t wanted = cards.value_or(1);
  auto measured = measured_machine(flags, wanted);
  if (!measured) return no_run(measured.error());
  const bool is_predicted = flags.cluster || *measured;
  auto cluster = flags.cluster ? cluster_from_flags(*flags.cluster, cards)
                 : *measured   ? Result<Cluster>(std::move(**measured))
                               : Result<Cluster>(unmeasured_machine(wanted, available_memory()));
  if (!cluster) return no_run(cluster.error());
  if (!strategies->single_card && cluster->card_count < 2) {
    return no_run(
        bad_input("--strategy", flags.strategy + " needs several cards", "two cards or more", "1").value());
  }
  auto problem = Problem::make(file.model, std::move(*cluster), *workload);
  if (!problem) return no_run(problem.error());
  auto plan = search(*problem, *strategies);
  if (!plan) return NoRun(no_plan(*problem, std::get<NoPlan>(answer(*problem, *strategies)), flags.json));
  return RunTask{std::move(*problem), std::move(*plan), is_predicted};
}

}  // namespace

Result<ModelFile> open_model(const std::string& model) {
  if (find_preset(model) != nullptr || model.ends_with(".json")) return no_weights(model);
  return ModelFile::open(model);
}

Result<std::optional<Tokenizer>> tokenizer_of(const ModelFile& file, bool is_needed) {
  constexpr std::string_view kKind = "tokenizer.ggml.model";
  if (!is_needed && file.files.metadata().find(kKind) == nullptr) return std::nullopt;
  return Tokenizer::from_gguf(file.files).map([](Tokenizer tokenizer) {
    return std::optional(std::move(tokenizer));
  });
}

tl::expected<RunSetup, Outcome> run_setup(const RunFlags& flags, std::optional<std::uint32_t> cards) {
  if (flags.prompt.has_value() == flags.tokens.has_value()) {
    return no_run(bad_input("spanker run", "what to continue is not clear", "either --prompt or --tokens",
                            flags.prompt ? "both" : "neither")
                      .value());
  }
  if (auto sampler = Sampler::make(flags.options.sampling); !sampler) return no_run(sampler.error());
  auto file = open_model(flags.model);
  if (!file) return no_run(file.error());
  auto tokenizer = tokenizer_of(*file, flags.prompt.has_value());
  if (!tokenizer) return no_run(tokenizer.error());
  auto prompt = prompt_of(flags, *file, *tokenizer);
  if (!prompt) return no_run(prompt.error());
  if (flags.plan) {
    auto task = planned_task(flags, *file, prompt->size());
    if (!task) return no_run(task.error());
    return RunSetup{std::move(*file), std::move(*tokenizer), std::move(*prompt), std::move(*task)};
  }
  auto task = searched_task(flags, *file, prompt->size(), cards);
  if (!task) return NoRun(task.error());
  return RunSetup{std::move(*file), std::move(*tokenizer), std::move(*prompt), std::move(*task)};
}

}  // namespace spanker
