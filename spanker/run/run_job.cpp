#include "spanker/run/run_job.hpp"

#include <limits>

#include "spanker/base/first_fault.hpp"
#include "spanker/base/parse_json.hpp"
#include "spanker/base/strict_object.hpp"

namespace spanker {

std::string to_json(const RunJob& job) {
  const SamplingOptions& sampling = job.options.sampling;
  nlohmann::json json = {{"plan", job.plan},
                         {"is_predicted", job.is_predicted},
                         {"model", job.model},
                         {"prompt", job.prompt},
                         {"generated", job.generated},
                         {"temperature", sampling.temperature},
                         {"top_k", sampling.top_k},
                         {"top_p", sampling.top_p},
                         {"seed", sampling.seed},
                         {"ignores_end", job.options.ignores_end},
                         {"is_paced", job.options.is_paced},
                         {"native_all_reduce", job.options.native_all_reduce},
                         {"json", job.json}};
  if (job.trace) json["trace"] = *job.trace;
  if (job.record) json["record"] = *job.record;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<RunJob> run_job_from(std::string_view text, std::string_view where) {
  constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
  const auto json = parse_json_object(text, where, "a job");
  if (!json) return tl::unexpected(json.error());
  FirstFault fault;
  const StrictObject object(*json, where, "", fault);
  RunJob job;
  job.plan = object.text("plan");
  job.is_predicted = object.flag("is_predicted");
  job.prompt = object.integers<std::uint32_t>("prompt");
  job.generated = object.integers<std::uint32_t>("generated");
  SamplingOptions& sampling = job.options.sampling;
  sampling.temperature = object.not_negative("temperature");
  sampling.top_k = object.integer<std::uint32_t>("top_k", 0, std::numeric_limits<std::uint32_t>::max());
  sampling.top_p = object.positive("top_p");
  sampling.seed = object.integer<std::uint64_t>("seed", 0, kAny);
  job.options.ignores_end = object.flag("ignores_end");
  job.options.is_paced = object.flag("is_paced");
  job.options.native_all_reduce = object.flag("native_all_reduce");
  job.json = object.flag("json");
  job.model = object.text("model");
  if (object.has("trace")) job.trace = object.text("trace");
  if (object.has("record")) job.record = object.text("record");
  if (!object.sound()) return tl::unexpected(*fault.error());
  return job;
}

}  // namespace spanker
