// mpirun -n N ranks_check: any plan for up to N cards gives, over N ranks, what one card in one process
// gives. Each rank has a copy of the model of its own. Exit code 0 where it is so.
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spanker/comm/byte_messages.hpp"
#include "spanker/comm/rank_process.hpp"
#include "spanker/plan/validate.hpp"
#include "spanker/run/model_files_for_test.hpp"
#include "spanker/run/plans_for_test.hpp"
#include "spanker/run/rank_cards.hpp"
#include "spanker/run/split_for_test.hpp"

namespace spanker::testing {
namespace {

constexpr std::uint64_t kPrompt = 9;
constexpr std::uint64_t kTokens = 16;

using Logits = std::vector<std::vector<float>>;

/// Of forced tokens; nothing but on rank 0.
Logits logits_of_ranks(const ModelFile& file, const Problem& problem, const Plan& plan, const Forced& teacher,
                       const GenerateOptions& options, Endpoint& endpoint) {
  const auto card = must_be(load_rank_card(file, problem, plan, endpoint, 1, 0));
  Logits all;
  const auto next = [&](std::span<const float> logits) -> std::optional<std::uint32_t> {
    all.emplace_back(logits.begin(), logits.end());
    if (all.size() > teacher.forced.size()) return std::nullopt;
    return teacher.forced[all.size() - 1];
  };
  must_be(run_rank_card(file, problem, plan, card.get(), endpoint, teacher.prompt, next, options));
  return all;
}

/// Why they are not the same; nothing where they are.
std::optional<std::string> difference(const Logits& got, const Logits& wanted, const Model& model) {
  if (got.size() != wanted.size()) return "ended after " + std::to_string(got.size()) + " tokens";
  const bool is_exact = model.token_embedding.type == TensorType::kF32;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::string at = "token " + std::to_string(i) + ": ";
    const double apart =
        is_exact ? greatest_difference(got[i], wanted[i]) : relative_difference(got[i], wanted[i]);
    const double bound = is_exact ? 1e-4 : quantised_bound(model.shape);
    if (!(apart < bound)) return at + std::to_string(apart) + " apart";
    if (is_exact && likeliest(got[i]) != likeliest(wanted[i])) return at + "another one is the likeliest";
  }
  return std::nullopt;
}

/// The number of plans that gave something else, as rank 0 sees it.
int faults_of(TensorType type, Endpoint& endpoint) {
  const Transport& transport = endpoint.transport();
  const Folder folder;
  const bool is_exact = type == TensorType::kF32;
  const Model model = must_be(make_model("wide", is_exact ? wide_shape() : wider_shape(), type));
  const ModelFile file = must_be(ModelFile::open(folder.write("model.gguf", random_gguf(model, 5))));
  const Problem problem = plain_problem(file, 8, plain_workload(kPrompt, kTokens));
  const auto prompt = some_tokens(kPrompt, model.shape.vocab_size, 1);
  const auto greedy = greedy_tokens(file, problem, single_plan(problem), prompt, kTokens);
  // Where each token is the likeliest, forcing it and choosing it are the same.
  const Forced teacher{prompt, {greedy.begin(), greedy.end() - 1}};
  const Logits wanted = forced_logits(file, problem, single_plan(problem), teacher);
  std::vector<Plan> plans = many_plans(problem);
  plans.push_back(single_plan(problem));
  int faults = 0;
  for (const Plan& plan : plans) {
    if (plan.cards_used() > transport.card_count()) continue;
    for (const bool native : {false, true}) {
      const bool is_among_all = plan.stages.size() == 1 && plan.cards_used() == transport.card_count();
      if (native && !is_among_all) continue;
      GenerateOptions options;
      options.native_all_reduce = native;
      const Logits got = logits_of_ranks(file, problem, plan, teacher, options, endpoint);
      if (transport.card() > 0) continue;
      const auto why = difference(got, wanted, model);
      std::printf("%s: %s over %u ranks%s:\n%s", why ? why->c_str() : "the same",
                  std::string(to_string(type)).c_str(), transport.card_count(),
                  native ? ", MPI's all_reduce" : "", shown(plan).c_str());
      if (why) ++faults;
    }
  }
  return faults;
}

[[noreturn]] void give_up(const Error& error, std::optional<std::uint32_t>) {
  std::fprintf(stderr, "%s\n", to_line(error).c_str());
  std::_Exit(3);
}

int check() {
  const auto process = must_be(join_ranks({.timeout = Seconds(120), .give_up = give_up}));
  int faults = 0;
  {
    Endpoint endpoint(process->make_transport(may_spin(process->size()) ? kExchangeSpin : Seconds(0)),
                      Seconds(120));
    for (const TensorType type : {TensorType::kF32, TensorType::kQ4_0}) faults += faults_of(type, endpoint);
  }
  process->leave();
  return faults;
}

}  // namespace
}  // namespace spanker::testing

int main() {
  try {
    return spanker::testing::check() == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
