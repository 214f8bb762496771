#include <CLI/CLI.hpp>
#include <memory>

#include "spanker/cli/commands.hpp"
#include "spanker/cli/options.hpp"
#include "spanker/cli/whole_number.hpp"
#include "spanker/cluster/bandwidth_model.hpp"
#include "spanker/report/tile_report.hpp"

namespace spanker {
namespace {

constexpr const char* kHelp =
    R"(The tile is Y[m x n] = X[m x k] W[k x n]. The tile rule counts X as the weights; the planner counts W.

Example, the TinyLlama decode tile on four sails:
  spanker tile --m 1 --n 5632 --k 2048 --bytes-per-element 2 --sails 4)";

struct Flags {
  TileQuestion question;
  std::string local_bandwidth = std::to_string(kLocalDdrBwBytesPerSec);
  std::string intercard_bandwidth = std::to_string(kIntercardBwBytesPerSec);
  bool json = false;
};

Outcome run_tile(const Flags& flags, const Style& style) {
  TileQuestion question = flags.question;
  const auto local = bandwidth_from_flag(flags.local_bandwidth, "--local-bandwidth");
  if (!local) return Outcome::failed(local.error());
  const auto intercard = bandwidth_from_flag(flags.intercard_bandwidth, "--intercard-bandwidth");
  if (!intercard) return Outcome::failed(intercard.error());
  question.local_bandwidth = *local;
  question.intercard_bandwidth = *intercard;
  return Outcome::fine(flags.json ? to_json(question) : to_text(question, style));
}

}  // namespace

void add_tile_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("tile", "Tensor or model parallel for one matmul tile, by the tile rule");
  command->footer(kHelp);
  auto flags = std::make_shared<Flags>();
  const CLI::Validator count = whole_number(UINT64_MAX);
  command->add_option("--m", flags->question.tile.m, "Rows of X and Y: tokens")->required()->check(count);
  command->add_option("--n", flags->question.tile.n, "Columns of W and Y: outputs")->required()->check(count);
  command->add_option("--k", flags->question.tile.k, "Columns of X, rows of W: inputs")
      ->required()
      ->check(count);
  command
      ->add_option("--bytes-per-element", flags->question.tile.bytes_per_element,
                   "Of weights and activations")
      ->required()
      ->check(count);
  command->add_option("--sails", flags->question.sails, "Number of cards")->required()->check(count);
  command->add_option("--local-bandwidth", flags->local_bandwidth, "Bytes per second, or \"2 GB/s\"")
      ->capture_default_str();
  command
      ->add_option("--intercard-bandwidth", flags->intercard_bandwidth, "Bytes per second, or \"500 MB/s\"")
      ->capture_default_str();
  command->add_flag("--json", flags->json, "One JSON object instead of a table");
  command->callback([flags, &context] { context.outcome = run_tile(*flags, context.style); });
}

}  // namespace spanker
