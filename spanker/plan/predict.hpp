#pragma once

#include <string>
#include <vector>

#include "spanker/cost/collective_cost.hpp"
#include "spanker/plan/problem.hpp"

namespace spanker {

/// Many streams at once: tokens of all of them per second.
struct Throughput {
  std::uint64_t streams = 1;
  std::uint64_t micro_batches = 1;  ///< groups that follow one another through a pipeline
  double tokens_per_second = 0;
};

/// Bringing every card its weights over the host link.
struct Load {
  Bytes bytes;  ///< that cross the host link
  Seconds seconds{0};
  bool relayed = false;  ///< parts that several cards hold cross once and are passed on between cards
};

/// One use of the host link over a session.
struct HostUse {
  std::string what;
  Bytes bytes;
  Seconds seconds{0};
};

/// What a plan is expected to do. Where a number has a range, `low` is the pessimistic end of every profile
/// range and `high` the other, at the same plan.
struct Prediction {
  Cost decode;  ///< one token of one stream at the workload's context
  Seconds decode_low{0};
  Seconds decode_high{0};
  Cost prefill;  ///< the prompt, its upload and the first token's way back
  Throughput throughput;
  Load load;
  Seconds session{0};  ///< load + prefill + generate * decode
  std::vector<HostUse> host_budget;

  double tokens_per_second() const { return 1 / decode.total().count(); }
  double tokens_per_second_low() const { return 1 / decode_low.count(); }
  double tokens_per_second_high() const { return 1 / decode_high.count(); }
  double prefill_tokens_per_second(const Workload& workload) const {
    return static_cast<double>(workload.prompt) / prefill.total().count();
  }
  Seconds time_to_first_token() const { return prefill.total(); }
};

/// Prices a valid plan.
///
/// Throughput of C streams over one stage: C / latency of a pass of C. Over several: R micro-batches, 1 <= R
/// <= C, sizes b_i differing by at most one, the R with the least period = max(latency of the largest b, sum
/// over i of the slowest stage or boundary at b_i); C / period.
Prediction predict(const Problem& problem, const Plan& plan);

/// What the workload's objective makes small: seconds of a token, of the first token or of a session; for
/// throughput those of a token at the full rate.
double objective_seconds(const Workload& workload, const Prediction& prediction);

/// The same without all else that a prediction holds. `links`: of the problem's cluster, or of one with the
/// same links.
double objective_seconds(const Problem& problem, const Plan& plan, CollectivePricer& links);

/// What those seconds are spent on, a load being all host link: of a token, a prompt or a session; for
/// throughput, of a token of one stream.
Cost objective_cost(const Problem& problem, const Plan& plan, CollectivePricer& links);

/// Tokens per second: of all streams together for throughput, else of one stream in decode.
double objective_rate(const Problem& problem, const Plan& plan, CollectivePricer& links);

/// The price of one decoded token of one stream, at one end of every range.
Cost decode_cost(const Problem& problem, const Plan& plan, Bound bound);

}  // namespace spanker
