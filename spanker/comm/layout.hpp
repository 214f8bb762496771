#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "spanker/collective/schedule.hpp"

namespace spanker {

/// Where the units of a schedule lie in a vector of floats: one after another, all of the same size but a
/// shorter last one; or in pieces of any sizes, one for each unit. Internal to this module.
class Layout {
 public:
  struct Piece {
    std::uint64_t first;  ///< element
    std::uint64_t elements;
  };

  Layout(std::uint64_t elements, std::uint32_t unit_elements)
      : elements_(elements), unit_elements_(unit_elements) {}
  /// Pieces travel in wire units of `unit_elements`, counted from the start of each. `pieces` must outlive
  /// it.
  Layout(std::span<const Piece> pieces, std::uint32_t unit_elements)
      : unit_elements_(unit_elements), pieces_(pieces), in_pieces_(true) {}

  /// Calls visit(Piece) for each run of elements that lies and is encoded as one, in order.
  template <class Visit>
  void for_each_run(Chunk units, const Visit& visit) const {
    if (!in_pieces_) {
      const std::uint64_t first = std::min(units.first_unit * unit_elements_, elements_);
      visit(Piece{first, std::min(units.units * unit_elements_, elements_ - first)});
      return;
    }
    Piece run{0, 0};
    for (const Piece& piece : pieces_.subspan(units.first_unit, units.units)) {
      const bool goes_on = run.first + run.elements == piece.first && run.elements % unit_elements_ == 0;
      if (!goes_on && run.elements > 0) visit(run);
      run = goes_on ? Piece{run.first, run.elements + piece.elements} : piece;
    }
    if (run.elements > 0) visit(run);
  }

 private:
  std::uint64_t elements_ = 0;
  std::uint32_t unit_elements_;
  std::span<const Piece> pieces_;
  bool in_pieces_ = false;
};

}  // namespace spanker
