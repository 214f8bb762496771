#pragma once

#include <span>
#include <string>

#include "spanker/plan/frontier.hpp"
#include "spanker/plan/problem.hpp"
#include "spanker/report/table.hpp"

namespace spanker {

// `points` are those of frontier_of(problem), at least one.

/// One JSON object, schema "spanker.frontier/1" (docs/commands.md), ended by a newline.
std::string to_json(const Problem& problem, std::span<const FrontierPoint> points);

/// A table for people; the point that is best by the workload's objective is marked.
std::string to_text(const Problem& problem, std::span<const FrontierPoint> points, const Style& style);

/// An SVG document: the best decode rate over the cards used, of one stream and, where there are several, of
/// all streams together.
std::string to_svg(const Problem& problem, std::span<const FrontierPoint> points);

}  // namespace spanker
