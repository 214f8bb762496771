#include "spanker/comm/rank_schedule.hpp"

#include <algorithm>

namespace spanker {
namespace {

using Exchange = RankSchedule::Exchange;

void add(std::vector<Exchange>& exchanges, std::uint32_t peer, const Transfer& transfer) {
  auto found = std::find_if(exchanges.begin(), exchanges.end(),
                            [&](const Exchange& each) { return each.peer == peer; });
  if (found == exchanges.end()) found = exchanges.insert(found, Exchange{peer, {}});
  found->parts.push_back({{transfer.first_unit, transfer.units}, transfer.reduce});
}

bool same_units(const Exchange& a, const Exchange& b) {
  return std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(),
                    [](const auto& x, const auto& y) { return x.units == y.units; });
}

bool overlap(Chunk a, Chunk b) {
  return a.first_unit < b.first_unit + b.units && b.first_unit < a.first_unit + a.units;
}

bool overlap(const std::vector<Exchange>& some, const std::vector<Exchange>& others) {
  for (const Exchange& one : some) {
    for (const Exchange& other : others) {
      for (const auto& a : one.parts) {
        for (const auto& b : other.parts) {
          if (overlap(a.units, b.units)) return true;
        }
      }
    }
  }
  return false;
}

/// What is left of [0, units).
std::vector<Chunk> complement(std::vector<Chunk> chunks, std::uint64_t units) {
  std::sort(chunks.begin(), chunks.end(), [](Chunk a, Chunk b) { return a.first_unit < b.first_unit; });
  std::vector<Chunk> gaps;
  std::uint64_t end = 0;
  chunks.push_back({units, 0});
  for (const Chunk& chunk : chunks) {
    if (chunk.first_unit > end) gaps.push_back({end, chunk.first_unit - end});
    end = std::max(end, chunk.first_unit + chunk.units);
  }
  return gaps;
}

}  // namespace

RankSchedule rank_schedule(const Schedule& schedule, std::uint32_t rank, std::uint64_t units) {
  RankSchedule result;
  std::vector<Chunk> copied;
  for (std::size_t i = 0; i < schedule.round_count(); ++i) {
    RankSchedule::Round round{static_cast<std::uint32_t>(i), {}, {}};
    for (const Transfer& transfer : schedule.round(i)) {
      if (transfer.from == rank) add(round.sends, transfer.to, transfer);
      if (transfer.to != rank) continue;
      add(round.receives, transfer.from, transfer);
      if (!transfer.reduce) copied.push_back({transfer.first_unit, transfer.units});
    }
    if (round.sends.empty() && round.receives.empty()) continue;
    for (std::size_t send = 1; send < round.sends.size(); ++send) {
      round.sends[send].repeats = same_units(round.sends[send - 1], round.sends[send]);
    }
    round.changes_what_it_sends = overlap(round.sends, round.receives);
    result.rounds.push_back(std::move(round));
  }
  result.never_copied = complement(std::move(copied), units);
  return result;
}

}  // namespace spanker
