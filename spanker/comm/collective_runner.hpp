#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/comm/endpoint.hpp"
#include "spanker/comm/layout.hpp"
#include "spanker/comm/rank_schedule.hpp"

namespace spanker {

/// Carries out one rank's part of schedules, and tells all cards where that goes wrong. Remembers schedules,
/// so that in steady state none is made and no memory is taken. Internal to this module.
class CollectiveRunner {
 public:
  /// Rank r is cards[r].
  CollectiveRunner(Endpoint& endpoint, std::vector<std::uint32_t> cards, std::uint32_t rank)
      : endpoint_(endpoint), cards_(std::move(cards)), rank_(rank) {}

  /// A schedule's rank s is rank (s + header.root) modulo the ranks.
  struct Call {
    Collective collective;
    const MessageHeader& header;
    const Layout& layout;
    std::uint64_t units;
  };
  /// After all_reduce, all_gather and broadcast what this rank holds is rounded to the wire, as the others'.
  Result<void> run(const Call& call, std::span<float> values);

  /// One message to or from a rank.
  Result<void> send(std::uint32_t to, const MessageHeader& header, std::span<const float> values);
  Result<void> recv(std::uint32_t from, const MessageHeader& header, std::span<float> values);

 private:
  const RankSchedule& schedule(const Call& call);
  std::uint32_t card_of(const Call& call, std::uint32_t schedule_rank) const;
  Result<void> send_all(const Call& call, const RankSchedule::Round& round, std::span<float> values);
  Result<void> receive_all(const Call& call, const RankSchedule::Round& round, std::span<float> values);
  /// Checks that it is what was wanted, and as long.
  Result<Message> receive(std::uint32_t card, const MessageHeader& wanted, std::uint64_t bytes);

  Endpoint& endpoint_;
  std::vector<std::uint32_t> cards_;
  std::uint32_t rank_;
  std::map<std::tuple<Collective, Algorithm, std::uint32_t, std::uint64_t>, RankSchedule> schedules_;
};

}  // namespace spanker
