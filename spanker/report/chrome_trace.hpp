#pragma once

#include <span>
#include <string>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/steps/step_graph.hpp"
#include "spanker/steps/timeline.hpp"

namespace spanker {

/// What one instance of a timeline is.
struct TraceInstance {
  const StepGraph* graph = nullptr;
  std::string label;  ///< for people: "stream 0 token 3"
};

/// Writes a timeline as a Chrome trace (JSON), which Perfetto and chrome://tracing open. It takes the place
/// of `path` once it is whole; fails with kIo, and `path` as it was, where it cannot be written.
///
/// Rows: one for each card, with its kernels and the overheads of passes; one for each directed link that
/// carried something, named as Network::link_name, with the sends over it (a send is on every link of its
/// route in `cluster`); one for the host link, or, where cards have their own, for each that was used; and
/// one for collectives that were not expanded. Where events of one row overlap, such as sends that share a
/// link, the later ones go to further rows "0->1 (2)": viewers drop what overlaps. Joins are left out.
///
/// Times are rounded to nanoseconds. Steps without a place in such a trace are left out: those that never
/// ended, ended before they started or after 1e9 s, and sends between cards that no route joins.
///
/// `instances[e.instance].graph` holds `e.step` for all entries e, of which there are less than 2^32; their
/// cards are the cluster's. Entries may be in any order. Beside the timeline it takes 4 bytes an entry, and
/// memory for routes and labels.
Result<void> write_chrome_trace(const std::string& path, const Cluster& cluster,
                                std::span<const TraceInstance> instances, const Timeline& timeline);

}  // namespace spanker
