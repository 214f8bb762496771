#pragma once

#include <cstdint>

namespace spanker {

// The three bandwidth tiers of a sail of revision A, in bytes per second (docs/bandwidth-model.md).
// The profile sails-rev-a carries the same values, with their ranges.

/// A card's own memory: 2.0 GB/s.
/// The middle of what DDR3 gives on the three ECP5 boards that the open toolchain drives: 192 MT/s
/// (OrangeCrab) and 300 MT/s (Trellis Board, Versa-ECP5), which with a 64-bit module's 8 bytes per transfer
/// is 1.5 to 2.4 GB/s. It is deliberately neither the 12.8 GB/s printed on a DDR3-1600 module nor the 6.4
/// GB/s of the PHY's header: no such board has reached those. Source of truth: Stays,
/// docs/upstream-contributions/2026-05-06-litedram-ecp5.md, bandwidth budget.
inline constexpr std::uint64_t kLocalDdrBwBytesPerSec = 2'000'000'000;

/// One direction of the link between two cards: 500 MB/s.
/// 4 lanes * 1.25 Gb/s * 8/10 (8b/10b coding) / 8 bits. With 64b/66b coding the same lanes give about 606
/// MB/s; which one is built is open until ADR-014, so both are profiles (sails-rev-a, sails-rev-a-64b66b).
/// Source of truth: InnerJib7EA, docs/hw/intercard-connector-pinout.md, section 9.
inline constexpr std::uint64_t kIntercardBwBytesPerSec = 500'000'000;

/// The link to the host, shared by all cards: 100 MB/s.
/// Gigabit Ethernet as payload sees it, after IP and UDP headers: iperf3 measured 800 to 940 Mb/s on
/// Versa-ECP5 and ECPIX-5. The line rate, 125 MB/s, is never the figure to plan with. Source of truth: Stays,
/// docs/upstream-contributions/2026-05-06-liteeth-ecp5-sgmii.md.
inline constexpr std::uint64_t kHostLinkBwBytesPerSec = 100'000'000;

/// Whether three tiers (bytes per second) can be those of revision A: local memory within what was seen, 1.5
/// to 2.4 GB/s; the host link within 80 to 125 MB/s; host link < inter-card link < memory; and memory at
/// least 4 times as fast as an inter-card link. Nothing that is zero passes.
constexpr bool bandwidth_tiers_are_sound(std::uint64_t local_ddr, std::uint64_t intercard,
                                         std::uint64_t host_link) {
  const bool local_was_seen = local_ddr >= 1'500'000'000 && local_ddr <= 2'400'000'000;
  const bool host_was_seen = host_link >= 80'000'000 && host_link <= 125'000'000;
  const bool ordered = host_link < intercard && intercard < local_ddr;
  // Divided rather than multiplied: any 64-bit number may be asked about.
  const bool memory_outruns_link = intercard <= local_ddr / 4;
  return local_was_seen && host_was_seen && ordered && memory_outruns_link;
}

static_assert(kLocalDdrBwBytesPerSec > 0 && kIntercardBwBytesPerSec > 0 && kHostLinkBwBytesPerSec > 0);
static_assert(kLocalDdrBwBytesPerSec < 4'000'000'000, "a theoretical DDR3 figure is not what a card reaches");
static_assert(kLocalDdrBwBytesPerSec >= 4 * kIntercardBwBytesPerSec, "memory must outrun a link four times");
static_assert(kHostLinkBwBytesPerSec < 125'000'000,
              "the line rate of Gigabit Ethernet is not its payload rate");
static_assert(bandwidth_tiers_are_sound(kLocalDdrBwBytesPerSec, kIntercardBwBytesPerSec,
                                        kHostLinkBwBytesPerSec));

}  // namespace spanker
