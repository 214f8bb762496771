#include <fmt/format.h>

#include <algorithm>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/report/plan_report.hpp"
#include "spanker/report/plan_words.hpp"

namespace spanker {
namespace {

constexpr std::size_t kBarWidth = 24;

std::string rate(double tokens_per_second) { return fmt::format("{:.4g} tokens/s", tokens_per_second); }

/// "8 each" for equal numbers, all of a few, "4 to 6" for many.
template <class Number>
std::string compact(const std::vector<Number>& numbers) {
  if (numbers.size() > 1 && std::ranges::all_of(numbers, [&](Number n) { return n == numbers.front(); })) {
    return fmt::format("{} each", numbers.front());
  }
  if (numbers.size() > 8) {
    const auto [least, most] = std::ranges::minmax(numbers);
    return fmt::format("{} to {}", least, most);
  }
  return fmt::format("{}", fmt::join(numbers, " "));
}

std::string cards_text(const std::vector<CardId>& cards) {
  bool consecutive = cards.size() > 2;
  for (std::size_t i = 1; i < cards.size(); ++i) consecutive &= cards[i] == cards[i - 1] + 1;
  return consecutive ? fmt::format("{}-{}", cards.front(), cards.back())
                     : fmt::format("{}", fmt::join(cards, " "));
}

std::string cards_of(const Cluster& cluster) {
  if (cluster.card_count == 1) return "1 card";
  const auto topology = cluster.topology == Topology::kFullMesh ? "full mesh" : to_string(cluster.topology);
  return fmt::format("{} cards in a {}", cluster.card_count, topology);
}

std::string heading(const Problem& problem, const Answer& answer, const Style& style) {
  const Cluster& cluster = problem.cluster;
  const std::string spread =
      answer.plan.strategy() == PlanStrategy::kSingleCard
          ? std::string("one card")
          : fmt::format("{} over {} cards", spoken(answer.plan.strategy()), answer.plan.cards_used());
  return style.bold(fmt::format("{} on {}: {}", escape_control(problem.model.name),
                                escape_control(cluster.name), spread)) +
         fmt::format("\n{} stored, {} read per token, {} of KV cache per position; {}\n",
                     format(weight_bytes(problem.model)), format(decode_weight_bytes(problem.model)),
                     format(kv_bytes_per_token(problem.model.shape, problem.workload.kv_type)),
                     cards_of(cluster));
}

std::string speed(const Problem& problem, const Answer& answer, const Style& style) {
  const Prediction& prediction = answer.prediction;
  const Workload& workload = problem.workload;
  Table table({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
  const bool has_band = prediction.tokens_per_second_low() != prediction.tokens_per_second_high();
  const std::string band =
      has_band ? fmt::format("{:.4g} to {:.4g} by the profile's ranges; ", prediction.tokens_per_second_low(),
                             prediction.tokens_per_second_high())
               : "";
  table.add({"decode", rate(prediction.tokens_per_second()),
             fmt::format("{}{} per token at context {}", band, format(prediction.decode.total()),
                         workload.context)});
  table.add({"first token", format(prediction.time_to_first_token()),
             fmt::format("prompt of {}, {}", workload.prompt,
                         rate(prediction.prefill_tokens_per_second(workload)))});
  if (workload.streams > 1) {
    const std::string batches = prediction.throughput.micro_batches > 1
                                    ? fmt::format("{} streams in {} micro-batches", workload.streams,
                                                  prediction.throughput.micro_batches)
                                    : fmt::format("{} streams together", workload.streams);
    table.add({"throughput", rate(prediction.throughput.tokens_per_second), batches});
  }
  table.add({"load", format(prediction.load.seconds),
             fmt::format("{} over the host link{}", format(prediction.load.bytes),
                         prediction.load.relayed ? ", copies passed on between cards" : "")});
  table.add({"session", format(prediction.session),
             fmt::format("load, prompt and {} generated tokens", workload.generate)});
  return style.bold("Speed") + "\n" + table.to_string(style);
}

std::string breakdown(const Answer& answer, const Style& style) {
  const Cost& decode = answer.prediction.decode;
  Table table({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kRight}, {"", Align::kLeft}});
  for (const CostTerm& term : cost_terms()) {
    const Seconds seconds = decode.*term.seconds;
    if (seconds.count() == 0) continue;
    const double share = seconds / decode.total();
    table.add({std::string(term.name), format(seconds), fmt::format("{:.1f} %", share * 100),
               bar(share, kBarWidth)});
  }
  return style.bold(fmt::format("Where a token's {} go", format(decode.total()))) + "\n" +
         table.to_string(style);
}

std::string placement(const Answer& answer, const Style& style) {
  Table table({{"layers", Align::kLeft},
               {"cards", Align::kLeft},
               {"query heads", Align::kLeft},
               {"FFN columns", Align::kLeft},
               {"all_reduce", Align::kLeft},
               {"fullest card", Align::kRight},
               {"capacity", Align::kRight}});
  auto memory = answer.memory.begin();
  for (const Stage& stage : answer.plan.stages) {
    const auto end = memory + static_cast<std::ptrdiff_t>(stage.cards.size());
    const auto fullest =
        std::ranges::max_element(memory, end, {}, [](const CardMemory& card) { return card.total(); });
    table.add({fmt::format("{}-{}", stage.first_layer, stage.last_layer), cards_text(stage.cards),
               compact(stage.shares.query_heads), compact(stage.shares.ffn_columns),
               stage.cards.size() > 1 ? std::string(to_string(stage.decode.all_reduce)) : "-",
               format(fullest->total()), format_binary(fullest->capacity_bytes)});
    memory = end;
  }
  return style.bold("Placement") + "\n" + table.to_string(style);
}

/// Who would read prompts faster, and from which length on.
std::string prefill_choice(const Problem& problem, const Answer& answer, const Style& style) {
  if (!answer.prefill_choice) return "";
  const PrefillChoice& choice = *answer.prefill_choice;
  const auto by = [](PlanStrategy strategy, std::uint32_t cards) {
    const bool countable = strategy == PlanStrategy::kPipelineParallel || strategy == PlanStrategy::kHybrid;
    return fmt::format("{}{}{}", countable ? "a " : "", spoken(strategy),
                       cards > 1 ? fmt::format(" over {} cards", cards) : "");
  };
  std::string text = "\n" + style.bold("Prefill on this placement") + "\n";
  if (choice.differs()) {
    text += fmt::format("  prompt of {}: {} would take {} instead of {}: one placement costs {}\n",
                        problem.workload.prompt, by(choice.strategy, choice.cards_used),
                        format(choice.seconds), format(choice.here), format(choice.here - choice.seconds));
  } else {
    text += fmt::format("  prompt of {}: no other placement reads it faster\n", problem.workload.prompt);
  }
  for (const PrefillChoice::Crossing& each : choice.crossings) {
    text += fmt::format("  prompts of {} tokens or more are read faster by {}\n", each.prompt,
                        by(each.strategy, each.cards_used));
  }
  return text;
}

std::string reasons(const Answer& answer, const Style& style) {
  std::string text;
  if (!answer.alternatives.empty()) {
    Table table({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
    for (const Alternative& other : answer.alternatives) {
      table.add({std::string(spoken(other.strategy)) +
                     (other.cards_used > 1 ? fmt::format(" over {} cards", other.cards_used) : ""),
                 other.tokens_per_second ? rate(*other.tokens_per_second) : "-", other.why_not});
    }
    text += "\n" + style.bold("Why not") + "\n" + table.to_string(style);
  }
  if (answer.sensitivity.empty()) return text;
  Table table({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kRight}, {"", Align::kLeft}});
  for (const Sensitivity& item : answer.sensitivity) {
    table.add(
        {item.change, rate(item.tokens_per_second), fmt::format("{:+.1f} %", item.gain * 100), item.note});
  }
  text += "\n" + style.bold("What would change it") + "\n" + table.to_string(style);
  return text;
}

}  // namespace

std::string to_text(const Problem& problem, const Answer& answer, const Style& style) {
  std::string text = heading(problem, answer, style) + "\n" + speed(problem, answer, style) + "\n" +
                     breakdown(answer, style) + "\n" + placement(answer, style) +
                     prefill_choice(problem, answer, style) + reasons(answer, style);
  if (!answer.warnings.empty()) {
    text += "\n" + style.bold("Warnings") + "\n";
    for (const std::string& warning : answer.warnings)
      text += "  " + style.warning(escape_control(warning)) + "\n";
  }
  return text;
}

}  // namespace spanker
