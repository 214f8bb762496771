#include "spanker/simulate/batching.hpp"

#include <algorithm>

namespace spanker {

Batching::Batching(std::vector<std::uint64_t> capacities, bool decode_together)
    : decode_together_(decode_together) {
  for (const std::uint64_t places : capacities) groups_.push_back({places, {}, false});
}

std::vector<PassJob> Batching::arrive(Seconds now, std::uint64_t generate) {
  RequestProgress request;
  request.arrived = now;
  request.generate = generate;
  waiting_.push_back(static_cast<std::uint32_t>(requests_.size()));
  requests_.push_back(request);
  ++to_prefill_;
  std::vector<PassJob> jobs;
  admit(jobs);
  return jobs;
}

void Batching::admit(std::vector<PassJob>& jobs) {
  const auto room = [](const Group& group) { return group.places - group.members.size(); };
  while (!waiting_.empty()) {
    const auto roomiest = std::ranges::max_element(groups_, {}, room);
    if (room(*roomiest) == 0) return;
    const std::uint32_t request = waiting_.front();
    waiting_.pop_front();
    roomiest->members.push_back(request);
    jobs.push_back(
        {PassShape::Kind::kPrefill, static_cast<std::uint32_t>(roomiest - groups_.begin()), {request}});
  }
}

void Batching::decode(Seconds now, std::uint32_t group, std::vector<PassJob>& jobs) {
  Group& batch = groups_[group];
  if (batch.decoding || (decode_together_ && to_prefill_ > 0)) return;
  PassJob job{PassShape::Kind::kDecode, group, {}};
  std::ranges::copy_if(batch.members, std::back_inserter(job.requests),
                       [&](std::uint32_t request) { return requests_[request].prefilled; });
  if (job.requests.empty()) return;
  if (!has_decoded_) decode_start_ = now;
  has_decoded_ = true;
  batch.decoding = true;
  jobs.push_back(std::move(job));
}

std::vector<PassJob> Batching::finish(Seconds now, const PassJob& job) {
  std::vector<PassJob> jobs;
  if (job.kind == PassShape::Kind::kPrefill) {
    RequestProgress& request = requests_[job.requests.front()];
    request.prefilled = true;
    request.first_token = request.last_token = now;
    --to_prefill_;
  } else {
    groups_[job.group].decoding = false;
    for (const std::uint32_t index : job.requests) {
      ++requests_[index].tokens;
      requests_[index].last_token = now;
    }
  }
  std::erase_if(groups_[job.group].members,
                [&](std::uint32_t request) { return requests_[request].finished(); });
  admit(jobs);
  if (decode_together_) {
    for (std::uint32_t group = 0; group < groups_.size(); ++group) decode(now, group, jobs);
  } else {
    decode(now, job.group, jobs);
  }
  return jobs;
}

}  // namespace spanker
