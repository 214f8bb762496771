#include "spanker/plan/plan_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "spanker/base/file.hpp"
#include "spanker/base/parse_json.hpp"
#include "spanker/base/strict_object.hpp"
#include "spanker/cluster/cluster_json.hpp"
#include "spanker/model/model_json.hpp"
#include "spanker/plan/readable_json.hpp"
#include "spanker/plan/validate.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "spanker.plan_file/1";
constexpr std::array<std::string_view, 5> kFileKeys = {"schema", "plan", "workload", "model", "cluster"};
constexpr std::array<std::string_view, 2> kPlanKeys = {"stages", "gather"};
constexpr std::array<std::string_view, 10> kStageKeys = {
    "first_layer",     "last_layer", "cards",     "query_heads",        "ffn_columns",
    "vocabulary_rows", "all_reduce", "broadcast", "prefill_all_reduce", "prefill_broadcast"};
constexpr std::array<std::string_view, 10> kWorkloadKeys = {
    "context",  "prompt",     "generate",  "streams",          "objective",
    "kv_dtype", "link_dtype", "embedding", "checkpoint_bytes", "stream_bytes_per_token"};
constexpr std::array kObjectives = {Objective::kLatency, Objective::kThroughput, Objective::kFirstToken,
                                    Objective::kSession};
constexpr std::array kEmbeddingPlaces = {EmbeddingPlace::kCards, EmbeddingPlace::kHost};

// ---- Writing

Json stage_json(const Stage& stage) {
  // A card alone reduces nothing.
  const auto algorithm = [&](Algorithm used) {
    return stage.cards.size() > 1 ? Json(to_string(used)) : Json();
  };
  return {{"first_layer", stage.first_layer},
          {"last_layer", stage.last_layer},
          {"cards", stage.cards},
          {"query_heads", stage.shares.query_heads},
          {"ffn_columns", stage.shares.ffn_columns},
          {"vocabulary_rows", stage.shares.vocabulary_rows},
          {"all_reduce", algorithm(stage.decode.all_reduce)},
          {"broadcast", algorithm(stage.decode.broadcast)},
          {"prefill_all_reduce", algorithm(stage.prefill.all_reduce)},
          {"prefill_broadcast", algorithm(stage.prefill.broadcast)}};
}

Json plan_json(const Plan& plan) {
  Json stages = Json::array();
  for (const Stage& stage : plan.stages) stages.push_back(stage_json(stage));
  return {{"stages", stages}, {"gather", plan.cards_used() > 1 ? Json(to_string(plan.gather)) : Json()}};
}

Json workload_json(const Workload& workload) {
  return {{"context", workload.context},
          {"prompt", workload.prompt},
          {"generate", workload.generate},
          {"streams", workload.streams},
          {"objective", to_string(workload.objective)},
          {"kv_dtype", to_string(workload.kv_type)},
          {"link_dtype", to_string(workload.link_type)},
          {"embedding", to_string(workload.embedding)},
          {"checkpoint_bytes", workload.checkpoint_bytes.value},
          {"stream_bytes_per_token", workload.stream_bytes_per_token.value}};
}

// ---- Reading

Algorithm read_algorithm(const StrictObject& object, std::string_view key, Collective collective,
                         std::size_t cards) {
  if (cards != 1) return object.choice<Algorithm>(key, algorithms_of(collective));
  object.null(key, "a card alone has no collectives");
  return Algorithm::kDirect;
}

Stage read_stage(const StrictObject& object) {
  object.allow_only(kStageKeys);
  Stage stage;
  stage.first_layer = object.integer<std::uint32_t>("first_layer", 0, UINT32_MAX);
  stage.last_layer = object.integer<std::uint32_t>("last_layer", 0, UINT32_MAX);
  stage.cards = object.integers<CardId>("cards");
  stage.shares.query_heads = object.integers<std::uint32_t>("query_heads");
  stage.shares.ffn_columns = object.integers<std::uint64_t>("ffn_columns");
  stage.shares.vocabulary_rows = object.integers<std::uint64_t>("vocabulary_rows");
  const auto algorithm = [&](std::string_view key, Collective collective) {
    return read_algorithm(object, key, collective, stage.cards.size());
  };
  stage.decode.all_reduce = algorithm("all_reduce", Collective::kAllReduce);
  stage.decode.broadcast = algorithm("broadcast", Collective::kBroadcast);
  stage.prefill.all_reduce = algorithm("prefill_all_reduce", Collective::kAllReduce);
  stage.prefill.broadcast = algorithm("prefill_broadcast", Collective::kBroadcast);
  return stage;
}

Plan read_plan(const StrictObject& object) {
  object.allow_only(kPlanKeys);
  Plan plan;
  for (const StrictObject& stage : object.objects("stages")) {
    if (!object.sound()) break;
    plan.stages.push_back(read_stage(stage));
  }
  plan.gather = read_algorithm(object, "gather", Collective::kGather, plan.cards_used());
  return plan;
}

Workload read_workload(const StrictObject& object) {
  object.allow_only(kWorkloadKeys);
  // Problem::make tells which numbers make sense.
  const auto count = [&](std::string_view key) { return object.integer<std::uint64_t>(key, 0, UINT64_MAX); };
  const auto bytes = [&](std::string_view key) {
    return Bytes(object.integer<std::uint64_t>(key, 0, INT64_MAX));
  };
  Workload workload;
  workload.context = count("context");
  workload.prompt = count("prompt");
  workload.generate = count("generate");
  workload.streams = count("streams");
  workload.objective = object.choice<Objective>("objective", kObjectives);
  workload.kv_type = object.parsed("kv_dtype", parse_tensor_type);
  workload.link_type = object.parsed("link_dtype", parse_tensor_type);
  workload.embedding = object.choice<EmbeddingPlace>("embedding", kEmbeddingPlaces);
  workload.checkpoint_bytes = bytes("checkpoint_bytes");
  workload.stream_bytes_per_token = bytes("stream_bytes_per_token");
  return workload;
}

/// Problem::make speaks of flags ("--kv-dtype"): the file has keys of the same names.
Error at_key(Error error, std::string_view file) {
  std::string key = error.where.substr(error.where.find_first_not_of('-'));
  std::replace(key.begin(), key.end(), '-', '_');
  error.where = fmt::format("{}: {}.{}", file, key == "cards" ? "cluster" : "workload", key);
  return error;
}

/// Whether the first `schema` of the outermost object starts with "spanker.".
class SchemaCheck : public nlohmann::json_sax<Json> {
 public:
  bool is_ours() const { return is_ours_; }

  bool null() override { return pass(); }
  bool boolean(bool) override { return pass(); }
  bool number_integer(std::int64_t) override { return pass(); }
  bool number_unsigned(std::uint64_t) override { return pass(); }
  bool number_float(double, const std::string&) override { return pass(); }
  bool string(std::string& text) override {
    is_ours_ = is_schema_ && text.starts_with("spanker.");
    return pass();
  }
  bool binary(Json::binary_t&) override { return pass(); }
  bool start_array(std::size_t) override { return enter(); }
  bool start_object(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool end_object() override { return leave(); }
  bool key(std::string& key) override {
    is_schema_ = depth_ == 1 && key == "schema";
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  /// The schema's value settles the matter; a value outside of the object means that there is none.
  bool pass() const { return depth_ > 0 && !is_schema_; }
  bool enter() {
    ++depth_;
    return !is_schema_;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  bool is_schema_ = false;
  bool is_ours_ = false;
};

}  // namespace

std::string plan_file_text(const Problem& problem, const Plan& plan) {
  return readable_json({{"schema", kSchema},
                        {"plan", plan_json(plan)},
                        {"workload", workload_json(problem.workload)},
                        {"model", model_values_json(problem.model)},
                        {"cluster", cluster_json(problem.cluster)}});
}

Result<PlannedProblem> parse_plan_file(std::string_view text, std::string_view file) {
  const auto json = parse_json_object(text, file, "a plan file");
  if (!json) return tl::unexpected(json.error());
  FirstFault fault;
  const StrictObject root(*json, file, "", fault);
  // A file of another schema has other keys: its schema is what to complain of.
  if (const std::string schema = root.text("schema"); root.sound() && schema != kSchema) {
    root.fail("schema", "not a plan file of this version", fmt::format("\"{}\", as --out writes it", kSchema),
              fmt::format("\"{}\"", schema));
  }
  if (fault.error()) return tl::unexpected(*fault.error());
  root.allow_only(kFileKeys);
  Plan plan = read_plan(root.object("plan"));
  const Workload workload = read_workload(root.object("workload"));
  Model model = read_model(root.object("model"));
  Cluster cluster = read_cluster(root.object("cluster"));
  if (fault.error()) return tl::unexpected(*fault.error());

  auto problem = Problem::make(std::move(model), std::move(cluster), workload);
  if (!problem) return tl::unexpected(at_key(problem.error(), file));
  if (auto sound = validate(*problem, plan); !sound) {
    Error error = sound.error();
    error.where = fmt::format("{}: {}", file, error.where);
    return tl::unexpected(error);
  }
  return PlannedProblem{std::move(*problem), std::move(plan)};
}

Result<void> write_plan_file(const std::string& path, const Problem& problem, const Plan& plan) {
  const std::string text = plan_file_text(problem, plan);
  if (text.size() > kMaxPlanFileBytes) {
    return bad_input(path, "plan too large for a plan file",
                     fmt::format("at most {} bytes", kMaxPlanFileBytes),
                     fmt::format("{} bytes", text.size()));
  }
  return write_file_atomically(path, text);
}

Result<PlannedProblem> read_plan_file(const std::string& path) {
  return read_text_file(path, kMaxPlanFileBytes).and_then([&](const std::string& text) {
    return parse_plan_file(text, path);
  });
}

bool is_plan_file(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (!file) return false;
  const auto bytes = file->bytes().first(std::min(file->bytes().size(), kMaxPlanFileBytes));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  SchemaCheck check;
  // Which is false as soon as the schema is found.
  (void)Json::sax_parse(text, &check);
  return check.is_ours();
}

}  // namespace spanker
