#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "spanker/collective/schedule.hpp"

namespace spanker {

/// Writes a schedule transfer by transfer. Internal to this module.
class ScheduleBuilder {
 public:
  /// Makes room for so many more.
  void reserve(std::size_t rounds, std::size_t transfers) { schedule_.reserve(rounds, transfers); }

  /// Adds a transfer to the current round: none where `range` is empty, and one with the transfer added
  /// before where it goes the same way and continues its range.
  void send(std::uint32_t from, std::uint32_t to, Chunk range, bool reduce = false) {
    if (range.units == 0) return;
    if (!round_.empty()) {
      Transfer& last = round_.back();
      if (last.from == from && last.to == to && last.reduce == reduce &&
          last.first_unit + last.units == range.first_unit) {
        last.units += range.units;
        return;
      }
    }
    round_.push_back({from, to, range.first_unit, range.units, reduce});
  }

  void end_round() {
    schedule_.add_round(round_);
    round_.clear();
  }

  /// Appends the rounds of `schedule`.
  void add(const Schedule& schedule) {
    for (std::size_t i = 0; i < schedule.round_count(); ++i) schedule_.add_round(schedule.round(i));
  }

  /// Appends the rounds of `copies`, last one first, each transfer turned round and adding instead of
  /// overwriting. Where `copies` brings each unit of the vector from some owner to every rank, each rank
  /// once, the owner ends with the sum over all ranks: an all_gather becomes a reduce_scatter, a broadcast a
  /// reduction to its root.
  void add_mirrored(const Schedule& copies) {
    reserve(copies.round_count(), copies.transfers().size());
    for (std::size_t i = copies.round_count(); i-- > 0;) {
      for (const Transfer& t : copies.round(i)) round_.push_back({t.to, t.from, t.first_unit, t.units, true});
      end_round();
    }
  }

  Schedule take() { return std::move(schedule_); }

 private:
  Schedule schedule_;
  std::vector<Transfer> round_;
};

}  // namespace spanker
