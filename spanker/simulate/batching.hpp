#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "spanker/base/quantity.hpp"
#include "spanker/simulate/pass_shape.hpp"

namespace spanker {

/// What one pass does.
struct PassJob {
  PassShape::Kind kind = PassShape::Kind::kDecode;
  std::uint32_t group = 0;              ///< the micro-batch that it belongs to
  std::vector<std::uint32_t> requests;  ///< one for a prefill; those that get a token for a decode
};

/// How one request has fared.
struct RequestProgress {
  Seconds arrived{0};
  std::uint64_t generate = 0;  ///< tokens it wants after its first
  bool prefilled = false;
  Seconds first_token{0};
  std::uint64_t tokens = 0;  ///< decoded so far
  Seconds last_token{0};

  bool finished() const { return prefilled && tokens == generate; }
};

/// Which passes run when several requests share the cards: continuous batching in micro-batches.
///
/// A request that comes gets a place in the micro-batch with the most room, or waits its turn until one is
/// free. Its prompt is read at once, beside whatever else runs. Then it decodes with its micro-batch: each
/// decode pass gives one token to every member that has read its prompt; a micro-batch has one decode pass at
/// a time, and the next follows at once. A member with all its tokens makes room.
class Batching {
 public:
  /// `capacities`: places of each micro-batch, at least 1 each. `decode_together`: no decode pass starts
  /// before every request has read its prompt (then there are at most as many requests as places).
  Batching(std::vector<std::uint64_t> capacities, bool decode_together);

  /// A request of `generate` tokens comes. Returns what starts now, here and below.
  std::vector<PassJob> arrive(Seconds now, std::uint64_t generate);
  std::vector<PassJob> finish(Seconds now, const PassJob& job);

  const std::vector<RequestProgress>& requests() const { return requests_; }
  /// When the first decode pass started; meaningful once one has.
  Seconds decode_start() const { return decode_start_; }

 private:
  struct Group {
    std::uint64_t places = 1;
    std::vector<std::uint32_t> members;
    bool decoding = false;
  };
  void admit(std::vector<PassJob>& jobs);
  void decode(Seconds now, std::uint32_t group, std::vector<PassJob>& jobs);

  std::vector<Group> groups_;
  bool decode_together_;
  std::size_t to_prefill_ = 0;  ///< requests that have not read their prompt
  std::deque<std::uint32_t> waiting_;
  std::vector<RequestProgress> requests_;
  bool has_decoded_ = false;
  Seconds decode_start_{0};
};

}  // namespace spanker
