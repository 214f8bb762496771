#include "spanker/cli/run_flags.hpp"

#include <CLI/CLI.hpp>

#include "spanker/cli/whole_number.hpp"

namespace spanker {
namespace {

void add_plan_flags(CLI::App& command, RunFlags& flags) {
  CLI::Option* plan =
      command.add_option("--plan", flags.plan, "Plan file (spanker plan --out), instead of a new plan");
  const auto unless_planned = [&](CLI::Option* option) { option->excludes(plan); };
  unless_planned(command.add_option(
      "--cluster", flags.cluster,
      "Profile name or path to a TOML file, to plan for and to compare with (default: this machine)"));
  unless_planned(command.add_option("--cards", flags.cards, "Number of cards (default 1, or the profile's)")
                     ->check(whole_number(UINT32_MAX)));
  unless_planned(command.add_option("--strategy", flags.strategy, "auto, tensor, pipeline or single")
                     ->capture_default_str());
  unless_planned(
      command
          .add_option(
              "--context", flags.context,
              "Positions that KV memory is kept for (default 2048, or what prompt and generated tokens need)")
          ->check(whole_number(UINT32_MAX)));
  unless_planned(
      command.add_option("--kv-dtype", flags.kv_type, "KV cache: f32, f16 or q8_0")->capture_default_str());
  unless_planned(
      command.add_option("--link-dtype", flags.link_type, "Vectors between cards: f32, f16 or q8_0")
          ->capture_default_str());
}

void add_text_flags(CLI::App& command, RunFlags& flags) {
  command.add_option("--prompt", flags.prompt, "Text to continue");
  command.add_option("--tokens", flags.tokens, "Token ids to continue, as 1,15043");
  command.add_option("--generate", flags.generate, "Tokens to generate")
      ->check(whole_number(UINT32_MAX))
      ->capture_default_str();
  SamplingOptions& sampling = flags.options.sampling;
  command
      .add_option("--temperature", sampling.temperature,
                  "0: always the likeliest token; above: the larger, the more even the choice")
      ->capture_default_str();
  command.add_option("--top-k", sampling.top_k, "Only so many of the likeliest tokens; 0: all")
      ->check(whole_number(UINT32_MAX))
      ->capture_default_str();
  command.add_option("--top-p", sampling.top_p, "Only the likeliest tokens that together are so likely")
      ->capture_default_str();
  command.add_option("--seed", sampling.seed, "Which choices, where there is one")
      ->check(whole_number(UINT64_MAX))
      ->capture_default_str();
  command.add_flag("--ignore-eos", flags.options.ignores_end, "Go on after tokens that end an answer");
}

void add_rank_flags(CLI::App& command, RunFlags& flags) {
  CLI::Option* ranks =
      command.add_option("--ranks", flags.ranks, "Run each card as a process of its own, started by mpirun")
          ->check(whole_number(UINT32_MAX));
  ranks->excludes(command.get_option("--cards"));
  command.add_option("--hostfile", flags.hostfile, "With --ranks: mpirun's file of hosts")->needs(ranks);
  command
      .add_option("--timeout", flags.timeout_seconds,
                  "Seconds after which a rank that is not heard of is given up")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  command
      .add_option("--all-reduce", flags.all_reduce,
                  "With --ranks: plan, or native for MPI's own where all ranks share each layer")
      ->check(CLI::IsMember({"plan", "native"}))
      ->capture_default_str();
  command
      .add_flag("--restart", flags.restart,
                "With --ranks: when a rank is lost, plan for those that are left and go on")
      ->needs(ranks);
  command.add_flag("--launched", flags.launched)->group("");
}

}  // namespace

void add_run_flags(CLI::App& command, RunFlags& flags) {
  command.add_option("MODEL", flags.model, "Path to a GGUF file")->required();
  add_plan_flags(command, flags);
  add_text_flags(command, flags);
  command
      .add_option("--threads", flags.threads, "Threads of all cards together (default: as many as there are)")
      ->check(whole_number(1024));
  add_rank_flags(command, flags);
  command.add_flag("--pace", flags.options.is_paced, "Make cards and links as slow as the cluster says");
  command.add_option("--trace", flags.trace, "Path of a Chrome trace to write (chrome://tracing, Perfetto)");
  command.add_option("--record", flags.record,
                     "Runs file to add this run to, for spanker fit and spanker validate");
  command.add_flag("--json", flags.json, "One JSON object instead of text and tables");
}

}  // namespace spanker
