#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"
#include "spanker/measure/engine_schedule.hpp"
#include "spanker/model/tensor_type.hpp"
#include "spanker/plan/plan.hpp"

namespace spanker {

/// One run of an engine on a cluster: the averages of its decoded tokens, of one stream.
struct MeasuredRun {
  std::string cluster;              ///< name of the profile it belongs to; not empty
  std::string device;               ///< what a card is, in words
  std::string link;                 ///< what joins them, in words
  std::string model;                ///< a preset's name or a path, as load_model takes it; not empty
  std::optional<TensorType> quant;  ///< of its weights; absent where the model's file says it
  EngineSchedule schedule = EngineSchedule::kPlan;
  std::optional<PlanStrategy> strategy;  ///< of kPlan; absent: one stage on all cards
  TensorType wire = TensorType::kF32;    ///< of vectors between cards: F32, F16 or Q8_0
  TensorType kv_type = TensorType::kF16;
  std::uint64_t context = 1;     ///< positions that a token attended to, on average: 1 where it was short
  std::uint32_t cards = 1;       ///< 1 to kMaxPlannedCards
  Seconds seconds_per_token{0};  ///< above zero
  std::optional<Seconds> compute_seconds;   ///< of a token: until every card has done its kernels
  std::optional<Seconds> transfer_seconds;  ///< of a token: moving vectors and waiting for them
  std::optional<Bytes> root_sent_bytes;     ///< by card 0 in a token
  std::optional<Bytes> root_received_bytes;
  std::uint32_t samples = 1;  ///< tokens that the averages are of
  std::string source;         ///< who measured it, and when

  bool operator==(const MeasuredRun&) const = default;
};

struct MeasuredRuns {
  std::string note;
  std::vector<MeasuredRun> runs;

  bool operator==(const MeasuredRuns&) const = default;
};

inline constexpr std::size_t kMaxRunsFileBytes = std::size_t{1} << 24;
inline constexpr std::size_t kMaxRuns = 10000;

/// A runs file, schema "spanker.measured_runs/1" (docs/runs-files.md): what parse_measured_runs reads,
/// numbers bit by bit. Keys that would say the default are left out.
std::string measured_runs_text(const MeasuredRuns& runs);

/// The runs of a file. Strict: fails with kBadInput naming `file` and the key where it is not JSON or of
/// another schema, where keys are unknown, missing, of a wrong type or out of range, where there are no runs
/// or more than kMaxRuns, where a part of a token's time is longer than the whole, and where a preset has no
/// `quant` or another schedule than kPlan has a `strategy`.
Result<MeasuredRuns> parse_measured_runs(std::string_view text, std::string_view file);

/// As parse_measured_runs; kIo where the file cannot be read, kBadInput where it is longer than
/// kMaxRunsFileBytes.
Result<MeasuredRuns> read_measured_runs(const std::string& path);

/// Adds runs to those of the file, which is made where there is none. Fails as read_measured_runs and
/// AtomicFileWriter do, and with kBadInput where what would be written could not be read; the file is then as
/// it was.
Result<void> append_measured_runs(const std::string& path, const std::vector<MeasuredRun>& runs);

}  // namespace spanker
