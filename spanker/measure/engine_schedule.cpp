#include "spanker/measure/engine_schedule.hpp"

#include "spanker/cost/collective_cost.hpp"

namespace spanker {
namespace {

Bytes vector_bytes(std::uint64_t elements, TensorType type) {
  const Payload payload{elements, type};
  return payload.unit_bytes() * payload.units();
}

/// The largest of `cards` slices.
std::uint64_t slice(std::uint64_t elements, std::uint32_t cards) { return (elements + cards - 1) / cards; }

Bytes total(const std::vector<EngineExchange>& exchanges, Bytes EngineExchange::*direction) {
  Bytes bytes;
  for (const EngineExchange& exchange : exchanges) {
    bytes += exchange.*direction * (exchange.peers * static_cast<std::uint64_t>(exchange.times));
  }
  return bytes;
}

}  // namespace

std::string_view to_string(EngineSchedule schedule) {
  switch (schedule) {
    case EngineSchedule::kPlan:
      return "plan";
    case EngineSchedule::kRootStarV1:
      return "root_star_v1";
    case EngineSchedule::kRootStar:
      return "root_star";
    case EngineSchedule::kAllToAll:
      return "all_to_all";
    case EngineSchedule::kPipeline:
      return "pipeline";
  }
  return {};
}

Result<EngineSchedule> parse_engine_schedule(std::string_view name, std::string_view where) {
  for (const auto schedule : {EngineSchedule::kRootStarV1, EngineSchedule::kRootStar,
                              EngineSchedule::kAllToAll, EngineSchedule::kPipeline}) {
    if (to_string(schedule) == name) return schedule;
  }
  return bad_input(std::string(where), "unknown schedule", "root_star_v1, root_star, all_to_all or pipeline",
                   std::string(name));
}

std::vector<EngineExchange> engine_exchanges(EngineSchedule schedule, const ModelShape& shape,
                                             TensorType wire, std::uint32_t cards) {
  if (cards < 2) return {};
  const std::uint32_t peers = cards - 1;
  const double layers = shape.num_hidden_layers;
  const std::uint64_t dim = shape.hidden_size;
  const std::uint64_t query = std::uint64_t{shape.num_attention_heads} * shape.head_dim;
  const std::uint64_t key = std::uint64_t{shape.num_key_value_heads} * shape.head_dim;
  const std::uint64_t ffn = std::uint64_t{shape.intermediate_size} * shape.experts_per_token();
  const auto whole = [&](std::uint64_t elements) { return vector_bytes(elements, wire); };
  const auto part = [&](std::uint64_t elements) { return vector_bytes(slice(elements, cards), wire); };
  switch (schedule) {
    case EngineSchedule::kPlan:
      break;
    case EngineSchedule::kRootStarV1:
      return {{layers, peers, whole(dim), part(query) + part(key) * 2, true},
              {layers, peers, whole(query), part(dim), true},
              {layers, peers, whole(dim), part(ffn), true},
              {layers, peers, whole(ffn - slice(ffn, cards)), part(dim), true}};
    case EngineSchedule::kRootStar:
      return {{2 * layers, peers, whole(dim), whole(dim), true}};
    case EngineSchedule::kAllToAll:
      return {{1, peers, vector_bytes(dim, TensorType::kF32), {}, false},
              {2 * layers, peers, whole(dim), whole(dim), false},
              {1, peers, {}, vector_bytes(slice(shape.vocab_size, cards), TensorType::kF32), false}};
    case EngineSchedule::kPipeline:
      return {{1, 1, whole(dim), {}, false},
              {static_cast<double>(cards - 2), 0, whole(dim), {}, false},
              {1, 1, {}, whole(dim), false}};
  }
  return {};
}

Bytes root_sent_bytes(const std::vector<EngineExchange>& exchanges) {
  return total(exchanges, &EngineExchange::sent);
}

Bytes root_received_bytes(const std::vector<EngineExchange>& exchanges) {
  return total(exchanges, &EngineExchange::received);
}

}  // namespace spanker
