#include "spanker/measure/run_filter.hpp"

#include <algorithm>
#include <charconv>

namespace spanker {
namespace {

constexpr std::string_view kWanted =
    "conditions such as \"cards<=2\" or \"model=llama-2-7b\", joined by commas; keys are cards, cluster, "
    "model and "
    "schedule";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

template <class Number>
bool compare(Number a, std::string_view comparison, Number b) {
  if (comparison == "<") return a < b;
  if (comparison == "<=") return a <= b;
  if (comparison == ">") return a > b;
  if (comparison == ">=") return a >= b;
  return (a == b) == (comparison == "=");
}

}  // namespace

Result<RunFilter> RunFilter::parse(std::string_view text, std::string_view where) {
  RunFilter filter;
  while (true) {
    const std::size_t comma = text.find(',');
    auto next = condition(trimmed(text.substr(0, comma)), where);
    if (!next) return tl::unexpected(next.error());
    filter.conditions_.push_back(std::move(*next));
    if (comma == std::string_view::npos) return filter;
    text.remove_prefix(comma + 1);
  }
}

Result<RunFilter::Condition> RunFilter::condition(std::string_view text, std::string_view where) {
  const auto wrong = [&] {
    return bad_input(std::string(where), "not a filter of runs", std::string(kWanted),
                     "\"" + std::string(text) + "\"");
  };
  const std::size_t begin = text.find_first_of("<>=!");
  if (begin == std::string_view::npos) return wrong();
  const std::size_t end = std::min(text.find_first_not_of("<>=!", begin), text.size());
  const std::string_view key = trimmed(text.substr(0, begin));
  Condition condition{Key::kCards, std::string(text.substr(begin, end - begin)),
                      std::string(trimmed(text.substr(end))), 0};
  const bool is_equality = condition.comparison == "=" || condition.comparison == "!=";
  if (key == "cards" || key.empty()) {
    const char* last = condition.text.data() + condition.text.size();
    const auto [stop, error] = std::from_chars(condition.text.data(), last, condition.number);
    const bool known = is_equality || condition.comparison == "<" || condition.comparison == "<=" ||
                       condition.comparison == ">" || condition.comparison == ">=";
    if (!known || error != std::errc{} || stop != last) return wrong();
    return condition;
  }
  if (key == "cluster") {
    condition.key = Key::kCluster;
  } else if (key == "model") {
    condition.key = Key::kModel;
  } else if (key == "schedule") {
    condition.key = Key::kSchedule;
  } else {
    return wrong();
  }
  if (!is_equality || condition.text.empty()) return wrong();
  return condition;
}

bool RunFilter::meets(const MeasuredRun& run, const Condition& condition) {
  switch (condition.key) {
    case Key::kCards:
      return compare(run.cards, condition.comparison, condition.number);
    case Key::kCluster:
      return compare(std::string_view(run.cluster), condition.comparison, std::string_view(condition.text));
    case Key::kModel:
      return compare(std::string_view(run.model), condition.comparison, std::string_view(condition.text));
    case Key::kSchedule:
      return compare(to_string(run.schedule), condition.comparison, std::string_view(condition.text));
  }
  return false;
}

bool RunFilter::matches(const MeasuredRun& run) const {
  return std::ranges::all_of(conditions_, [&](const Condition& condition) { return meets(run, condition); });
}

}  // namespace spanker
