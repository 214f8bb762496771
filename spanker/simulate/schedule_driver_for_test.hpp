#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "spanker/collective/schedule.hpp"
#include "spanker/simulate/contention_engine.hpp"

namespace spanker::testing {

/// When a transfer of a round starts.
enum class Rounds {
  kTogether,  ///< once the round before has ended on every rank
  kByRank,    ///< once every transfer of the rounds before that touches its sender has ended
};

/// Walks a collective's schedule `times` times over; rank r is card r. Returns the time of the end.
class ScheduleDriver : public EngineDriver {
 public:
  ScheduleDriver(const Schedule& schedule, std::uint32_t ranks, Bytes unit_bytes, Rounds rounds,
                 std::uint64_t times = 1)
      : schedule_(schedule),
        unit_bytes_(unit_bytes),
        // A group is what waits together: all ranks, or one.
        group_count_(rounds == Rounds::kTogether ? 1 : ranks),
        round_count_(schedule.round_count() * times) {
    groups_.resize(group_count_);
    sends_.resize(schedule.round_count() * group_count_);
    touches_.resize(sends_.size());
    for (std::size_t round = 0; round < schedule.round_count(); ++round) {
      for (const Transfer& transfer : schedule.round(round)) {
        sends_[round * group_count_ + group_of(transfer.from)].push_back(&transfer);
        ++touches_[round * group_count_ + group_of(transfer.from)];
        ++touches_[round * group_count_ + group_of(transfer.to)];
      }
    }
  }

  EngineSettings settings() const {
    EngineSettings settings;
    for (const Transfer& transfer : schedule_.transfers()) {
      settings.pairs.emplace_back(transfer.from, transfer.to);
    }
    return settings;
  }

  void start(ContentionEngine& engine) override {
    for (std::uint32_t group = 0; group < group_count_; ++group) go_on(engine, group);
  }

  void done(ContentionEngine& engine, Tag tag) override {
    const auto [transfer, round] = under_way_[tag];
    free_tags_.push_back(tag);
    for (const std::uint32_t rank : {transfer->from, transfer->to}) {
      Group& group = groups_[group_of(rank)];
      // A neighbour may be ahead of this one.
      const std::size_t ahead = round - group.round;
      if (group.ended.size() <= ahead) group.ended.resize(ahead + 1);
      ++group.ended[ahead];
      if (ahead == 0) go_on(engine, group_of(rank));
    }
  }

  void lost(ContentionEngine& engine, Tag tag, const Obstacle&) override {
    engine.fail(fmt::format("lost {}", tag));
  }

  std::string finish(ContentionEngine& engine, std::span<const WaitingActivity> waiting) override {
    EXPECT_TRUE(waiting.empty());
    for (const Group& group : groups_) {
      if (group.round != round_count_) engine.fail("a rank has not got to the end");
    }
    return fmt::format("{:.17g}", engine.now().count());
  }

 private:
  struct Group {
    std::uint64_t round = 0;
    bool has_started = false;         ///< the sends of that round
    std::deque<std::uint32_t> ended;  ///< touches of that round and the next ones
  };

  std::uint32_t group_of(std::uint32_t rank) const { return group_count_ == 1 ? 0 : rank; }

  void go_on(ContentionEngine& engine, std::uint32_t index) {
    Group& group = groups_[index];
    while (group.round < round_count_) {
      const std::uint64_t place = group.round % schedule_.round_count() * group_count_ + index;
      if (!std::exchange(group.has_started, true)) {
        for (const Transfer* transfer : sends_[place]) send(engine, transfer, group.round);
      }
      if (group.ended.empty()) group.ended.push_back(0);
      if (group.ended.front() < touches_[place]) return;
      group.ended.pop_front();
      ++group.round;
      group.has_started = false;
    }
  }

  void send(ContentionEngine& engine, const Transfer* transfer, std::uint64_t round) {
    if (free_tags_.empty()) {
      free_tags_.push_back(under_way_.size());
      under_way_.emplace_back();
    }
    const Tag tag = free_tags_.back();
    free_tags_.pop_back();
    under_way_[tag] = {transfer, round};
    engine.transfer(transfer->from, transfer->to, Bytes(transfer->units * unit_bytes_.value), tag);
  }

  const Schedule& schedule_;
  Bytes unit_bytes_;
  std::uint32_t group_count_;
  std::uint64_t round_count_;
  std::vector<Group> groups_;
  std::vector<std::vector<const Transfer*>> sends_;                   ///< by round and group
  std::vector<std::uint32_t> touches_;                                ///< by round and group
  std::vector<std::pair<const Transfer*, std::uint64_t>> under_way_;  ///< and its round, by tag
  std::vector<Tag> free_tags_;
};

}  // namespace spanker::testing
