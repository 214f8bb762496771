#include "spanker/cli/options.hpp"

#include <charconv>

#include "spanker/base/parse_quantity.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/model/load.hpp"

namespace spanker {
namespace {

Result<TensorType> vector_type_from_flag(const std::string& text, const std::string& flag) {
  for (const TensorType type : {TensorType::kF32, TensorType::kF16, TensorType::kQ8_0}) {
    if (text == to_string(type)) return type;
  }
  return bad_input(flag, "type not supported here", "f32, f16 or q8_0", "\"" + text + "\"");
}

}  // namespace

Result<Model> model_from_flags(const std::string& model, const std::string& quant) {
  std::optional<TensorType> type;
  if (!quant.empty()) {
    auto parsed = parse_tensor_type(quant, "--quant");
    if (!parsed) return tl::unexpected(parsed.error());
    type = *parsed;
  }
  return load_model(model, type);
}

Result<Cluster> cluster_from_flags(const std::string& cluster, std::optional<std::uint32_t> cards) {
  auto loaded = load_cluster(cluster);
  if (!loaded || !cards) return loaded;
  return with_card_count(*loaded, *cards).map_error([](Error error) {
    error.where = "--cards";
    return error;
  });
}

Result<StrategySet> strategies_from_flag(const std::string& strategy) {
  if (strategy == "auto") return StrategySet{};
  if (strategy == "single") return StrategySet::only(PlanStrategy::kSingleCard);
  if (strategy == "tensor") return StrategySet::only(PlanStrategy::kTensorParallel);
  if (strategy == "pipeline") return StrategySet::only(PlanStrategy::kPipelineParallel);
  return bad_input("--strategy", "unknown strategy", "auto, tensor, pipeline or single",
                   "\"" + strategy + "\"");
}

Result<void> set_vector_types(const std::string& kv_type, const std::string& link_type, Workload& workload) {
  auto kv = vector_type_from_flag(kv_type, "--kv-dtype");
  if (!kv) return tl::unexpected(kv.error());
  auto link = vector_type_from_flag(link_type, "--link-dtype");
  if (!link) return tl::unexpected(link.error());
  workload.kv_type = *kv;
  workload.link_type = *link;
  return {};
}

Result<EmbeddingPlace> embedding_from_flag(const std::string& place) {
  if (place == "cards") return EmbeddingPlace::kCards;
  if (place == "host") return EmbeddingPlace::kHost;
  return bad_input("--embedding", "unknown place", "cards or host", "\"" + place + "\"");
}

Result<Objective> objective_from_flag(const std::string& objective) {
  for (const Objective known :
       {Objective::kLatency, Objective::kThroughput, Objective::kFirstToken, Objective::kSession}) {
    if (objective == to_string(known)) return known;
  }
  return bad_input("--objective", "unknown objective", "latency, throughput, first-token or session",
                   "\"" + objective + "\"");
}

Result<Bytes> bytes_from_flag(const std::string& text, const std::string& flag) {
  if (text.empty()) return Bytes();
  std::uint64_t whole = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, whole);
  if (error == std::errc{} && rest == end && whole < (std::uint64_t{1} << 60)) return Bytes(whole);
  return parse_bytes(text, flag);
}

Result<std::uint64_t> bandwidth_from_flag(const std::string& text, const std::string& flag) {
  std::uint64_t whole = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, whole);
  if (error == std::errc{} && rest == end && !text.empty()) return whole;
  auto rate = parse_bandwidth(text, flag);
  if (!rate) return tl::unexpected(rate.error());
  if (rate->value >= 1.8e19) return bad_input(flag, "too fast", "below 2^64 bytes per second", text);
  return static_cast<std::uint64_t>(rate->value + 0.5);
}

}  // namespace spanker
