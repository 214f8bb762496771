#include "spanker/measure/measured_runs.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "spanker/base/file.hpp"
#include "spanker/base/parse_json.hpp"
#include "spanker/base/strict_object.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/problem.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "spanker.measured_runs/1";
constexpr std::array<std::string_view, 3> kFileKeys = {"schema", "note", "runs"};
constexpr std::array<std::string_view, 18> kRunKeys = {"cluster",
                                                       "device",
                                                       "link",
                                                       "model",
                                                       "quant",
                                                       "schedule",
                                                       "strategy",
                                                       "wire",
                                                       "kv_dtype",
                                                       "context",
                                                       "cards",
                                                       "seconds_per_token",
                                                       "compute_seconds",
                                                       "transfer_seconds",
                                                       "root_sent_bytes",
                                                       "root_received_bytes",
                                                       "samples",
                                                       "source"};
constexpr std::array kSchedules = {EngineSchedule::kPlan, EngineSchedule::kRootStarV1,
                                   EngineSchedule::kRootStar, EngineSchedule::kAllToAll,
                                   EngineSchedule::kPipeline};
constexpr std::array kStrategies = {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel,
                                    PlanStrategy::kPipelineParallel, PlanStrategy::kHybrid};
constexpr std::array kVectorTypes = {TensorType::kF32, TensorType::kF16, TensorType::kQ8_0};

/// Published parts are rounded: a hundredth above the whole is still the whole.
constexpr double kRounding = 1.01;

// ---- Writing

Json run_json(const MeasuredRun& run) {
  const MeasuredRun defaults;
  Json json;
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  text("cluster", run.cluster);
  text("device", run.device);
  text("link", run.link);
  text("model", run.model);
  if (run.quant) json["quant"] = to_string(*run.quant);
  if (run.schedule != defaults.schedule) json["schedule"] = to_string(run.schedule);
  if (run.strategy) json["strategy"] = to_string(*run.strategy);
  json["wire"] = to_string(run.wire);
  if (run.kv_type != defaults.kv_type) json["kv_dtype"] = to_string(run.kv_type);
  if (run.context != defaults.context) json["context"] = run.context;
  json["cards"] = run.cards;
  json["seconds_per_token"] = run.seconds_per_token.count();
  if (run.compute_seconds) json["compute_seconds"] = run.compute_seconds->count();
  if (run.transfer_seconds) json["transfer_seconds"] = run.transfer_seconds->count();
  if (run.root_sent_bytes) json["root_sent_bytes"] = run.root_sent_bytes->value;
  if (run.root_received_bytes) json["root_received_bytes"] = run.root_received_bytes->value;
  json["samples"] = run.samples;
  text("source", run.source);
  return json;
}

// ---- Reading

std::string text_or_none(const StrictObject& object, std::string_view key) {
  return object.has(key) ? object.text(key) : std::string();
}

std::string name(const StrictObject& object, std::string_view key) {
  std::string text = object.text(key);
  if (text.empty()) object.fail(key, "empty", "a name");
  return text;
}

std::optional<Seconds> read_part(const StrictObject& object, std::string_view key, Seconds whole) {
  if (!object.has(key)) return std::nullopt;
  const Seconds part(object.not_negative(key));
  if (part > kRounding * whole) {
    object.fail(key, "longer than the whole token",
                fmt::format("at most seconds_per_token, {}", whole.count()), fmt::format("{}", part.count()));
  }
  return part;
}

std::optional<Bytes> read_bytes(const StrictObject& object, std::string_view key) {
  if (!object.has(key)) return std::nullopt;
  return Bytes(object.integer<std::uint64_t>(key, 0, INT64_MAX));
}

/// What was run, and how.
void read_configuration(const StrictObject& object, MeasuredRun& run) {
  run.model = name(object, "model");
  if (object.has("quant")) run.quant = object.parsed("quant", parse_tensor_type);
  if (!run.quant && find_preset(run.model) != nullptr) {
    object.fail("quant", "missing", "how the preset's weights were stored, such as \"q4_0\"");
  }
  if (object.has("schedule")) run.schedule = object.choice<EngineSchedule>("schedule", kSchedules);
  if (object.has("strategy")) {
    if (run.schedule != EngineSchedule::kPlan) {
      object.fail("strategy", "only a plan has a strategy", "no such key, or schedule \"plan\"",
                  std::string(to_string(run.schedule)));
    }
    run.strategy = object.choice<PlanStrategy>("strategy", kStrategies);
  }
  if (object.has("wire")) run.wire = object.choice<TensorType>("wire", kVectorTypes);
  if (object.has("kv_dtype")) run.kv_type = object.choice<TensorType>("kv_dtype", kVectorTypes);
  if (object.has("context")) run.context = object.integer<std::uint64_t>("context", 1, UINT32_MAX);
  run.cards = object.integer<std::uint32_t>("cards", 1, kMaxPlannedCards);
}

MeasuredRun read_run(const StrictObject& object) {
  object.allow_only(kRunKeys);
  MeasuredRun run;
  run.cluster = name(object, "cluster");
  run.device = text_or_none(object, "device");
  run.link = text_or_none(object, "link");
  read_configuration(object, run);
  run.seconds_per_token = Seconds(object.positive("seconds_per_token"));
  run.compute_seconds = read_part(object, "compute_seconds", run.seconds_per_token);
  run.transfer_seconds = read_part(object, "transfer_seconds", run.seconds_per_token);
  run.root_sent_bytes = read_bytes(object, "root_sent_bytes");
  run.root_received_bytes = read_bytes(object, "root_received_bytes");
  if (object.has("samples")) run.samples = object.integer<std::uint32_t>("samples", 1, UINT32_MAX);
  run.source = text_or_none(object, "source");
  return run;
}

}  // namespace

std::string measured_runs_text(const MeasuredRuns& runs) {
  Json json = {{"schema", kSchema}};
  if (!runs.note.empty()) json["note"] = runs.note;
  Json& list = json["runs"] = Json::array();
  for (const MeasuredRun& run : runs.runs) list.push_back(run_json(run));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<MeasuredRuns> parse_measured_runs(std::string_view text, std::string_view file) {
  const auto json = parse_json_object(text, file, "a runs file");
  if (!json) return tl::unexpected(json.error());
  FirstFault fault;
  const StrictObject root(*json, file, "", fault);
  // A file of another schema has other keys: its schema is what to complain of.
  if (const std::string schema = root.text("schema"); root.sound() && schema != kSchema) {
    root.fail("schema", "not a runs file of this version", fmt::format("\"{}\"", kSchema),
              fmt::format("\"{}\"", schema));
  }
  if (fault.error()) return tl::unexpected(*fault.error());
  root.allow_only(kFileKeys);
  MeasuredRuns runs;
  runs.note = text_or_none(root, "note");
  const auto objects = root.objects("runs");
  if (objects.empty() || objects.size() > kMaxRuns) {
    root.fail("runs", "out of range", fmt::format("1 to {} runs", kMaxRuns), std::to_string(objects.size()));
  }
  for (const StrictObject& object : objects) {
    if (!root.sound()) break;
    runs.runs.push_back(read_run(object));
  }
  if (fault.error()) return tl::unexpected(*fault.error());
  return runs;
}

Result<MeasuredRuns> read_measured_runs(const std::string& path) {
  return read_text_file(path, kMaxRunsFileBytes).and_then([&](const std::string& text) {
    return parse_measured_runs(text, path);
  });
}

Result<void> append_measured_runs(const std::string& path, const std::vector<MeasuredRun>& runs) {
  MeasuredRuns all;
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    auto before = read_measured_runs(path);
    if (!before) return tl::unexpected(before.error());
    all = std::move(*before);
  }
  all.runs.insert(all.runs.end(), runs.begin(), runs.end());
  const std::string text = measured_runs_text(all);
  if (text.size() > kMaxRunsFileBytes) {
    return bad_input(path, "too long for a runs file", fmt::format("at most {} bytes", kMaxRunsFileBytes),
                     fmt::format("{} bytes", text.size()));
  }
  if (auto readable = parse_measured_runs(text, path); !readable) return tl::unexpected(readable.error());
  return write_file_atomically(path, text);
}

}  // namespace spanker
