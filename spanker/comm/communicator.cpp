#include "spanker/comm/communicator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "spanker/comm/collective_runner.hpp"

namespace spanker {
namespace {

/// FNV-1a (Fowler, Noll, Vo) over the bytes of the numbers.
template <class Number>
std::uint32_t fingerprint(std::span<const Number> numbers) {
  std::uint32_t hash = 0x811C9DC5;
  for (Number number : numbers) {
    for (std::size_t byte = 0; byte < sizeof number; ++byte, number >>= 8) {
      hash = (hash ^ static_cast<std::uint8_t>(number)) * 0x01000193;
    }
  }
  return hash;
}

std::uint64_t units_of(std::uint64_t elements, WireType wire) {
  const std::uint64_t unit = unit_elements(wire);
  return elements / unit + (elements % unit != 0 ? 1 : 0);
}

std::vector<std::uint32_t> all_cards(Endpoint& endpoint) {
  std::vector<std::uint32_t> cards(endpoint.transport().card_count());
  std::iota(cards.begin(), cards.end(), 0u);
  return cards;
}

void divide(std::span<float> values, std::uint32_t by) {
  for (float& value : values) value /= static_cast<float>(by);
}

}  // namespace

struct Communicator::State {
  CollectiveRunner runner;
  /// Of the chunks at hand; kept, so that in steady state it takes no memory.
  std::vector<Layout::Piece> pieces;
};

Communicator::Communicator(Endpoint& endpoint)
    : Communicator(endpoint, all_cards(endpoint), endpoint.transport().card()) {}

Communicator::Communicator(Endpoint& endpoint, std::vector<std::uint32_t> cards, std::uint32_t rank)
    : endpoint_(&endpoint),
      cards_(std::move(cards)),
      rank_(rank),
      fingerprint_(fingerprint(std::span<const std::uint32_t>(cards_))),
      state_(new State{{endpoint, cards_, rank}, {}}) {}

Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;
Communicator::~Communicator() = default;

Result<Communicator> Communicator::group(std::span<const std::uint32_t> ranks) const {
  std::vector<bool> seen(size(), false);
  std::vector<std::uint32_t> cards;
  for (const std::uint32_t rank : ranks) {
    if (const auto exists = check_rank("group", rank); !exists) return Failure(exists.error());
    if (seen[rank]) return bad_input("group", "has a rank twice", {}, fmt::to_string(rank));
    seen[rank] = true;
    cards.push_back(cards_[rank]);
  }
  if (!seen[rank_]) {
    return bad_input("group", "is without the rank that makes it", fmt::format("rank {}", rank_),
                     fmt::format("{}", fmt::join(ranks, " ")));
  }
  const auto own = std::find(cards.begin(), cards.end(), cards_[rank_]);
  return Communicator(*endpoint_, cards, static_cast<std::uint32_t>(own - cards.begin()));
}

Result<void> Communicator::check(Collective collective, Algorithm algorithm) const {
  const auto algorithms = algorithms_of(collective);
  if (std::find(algorithms.begin(), algorithms.end(), algorithm) != algorithms.end()) return {};
  std::string known;
  for (const Algorithm each : algorithms) known += (known.empty() ? "" : ", ") + std::string(to_string(each));
  return bad_input(std::string(to_string(collective)), "does not exist by that algorithm", known,
                   std::string(to_string(algorithm)));
}

Result<void> Communicator::check_rank(std::string_view where, std::uint32_t rank) const {
  if (rank < size()) return {};
  return bad_input(std::string(where), "no such rank", fmt::format("0 to {}", size() - 1),
                   fmt::to_string(rank));
}

Result<void> Communicator::check_peer(std::string_view where, std::uint32_t peer) const {
  if (peer == rank_)
    return bad_input(std::string(where), "a rank and itself", {}, fmt::format("rank {}", peer));
  return check_rank(where, peer);
}

Result<void> Communicator::check_counts(Collective collective, std::uint64_t elements,
                                        std::span<const std::uint64_t> counts) const {
  if (counts.empty()) return {};
  const std::string where(to_string(collective));
  if (counts.size() != size()) {
    return bad_input(where, "needs a count for each rank", fmt::to_string(size()),
                     fmt::to_string(counts.size()));
  }
  std::uint64_t left = elements;
  bool fits = true;
  for (const std::uint64_t count : counts) {
    fits = fits && count <= left;
    if (fits) left -= count;
  }
  if (fits && left == 0) return {};
  return bad_input(where, "counts do not add up to the vector", fmt::format("{} elements", elements),
                   fmt::format("{}", fmt::join(counts, " + ")));
}

MessageHeader Communicator::message_header(WireType wire, std::uint64_t elements) const {
  MessageHeader header;
  header.wire = wire;
  header.elements = elements;
  header.cards = fingerprint_;
  return header;
}

MessageHeader Communicator::next_header(MessageHeader::Call call, Algorithm algorithm, WireType wire,
                                        std::uint64_t elements) {
  MessageHeader header = message_header(wire, elements);
  header.call = call;
  header.algorithm = algorithm;
  header.number = ++calls_;
  return header;
}

Result<void> Communicator::native_all_reduce(std::span<float> values, ReduceOp op) {
  Transport& transport = endpoint_->transport();
  if (!transport.has_all_reduce() || size() != transport.card_count()) {
    return bad_input(
        "native all_reduce", "not possible here", "all ranks of mpirun together, with no pace of their own",
        transport.has_all_reduce() ? fmt::format("{} of {} ranks", size(), transport.card_count())
                                   : "a network without one");
  }
  auto done = transport.all_reduce(values, op, endpoint_->timeout());
  if (!done && done.error().kind == ErrorKind::kPeerLost) {
    return endpoint_->give_up(done.error(),
                              fmt::format("native all_reduce ({}) of {} f32", to_string(op), values.size()));
  }
  return done;
}

Chunk Communicator::chunk(std::uint32_t rank, std::uint64_t elements, WireType wire) const {
  const Chunk units = chunk_of(rank, size(), units_of(elements, wire));
  const std::uint64_t unit = unit_elements(wire);
  const std::uint64_t first = std::min(units.first_unit * unit, elements);
  return {first, std::min(units.units * unit, elements - first)};
}

Result<void> Communicator::all_reduce(std::span<float> values, ReduceOp op, Algorithm algorithm,
                                      WireType wire) {
  if (const auto fine = check(Collective::kAllReduce, algorithm); !fine) return fine;
  MessageHeader header = next_header(MessageHeader::Call::kAllReduce, algorithm, wire, values.size());
  header.op = op;
  const Layout layout(values.size(), unit_elements(wire));
  const CollectiveRunner::Call call{Collective::kAllReduce, header, layout, units_of(values.size(), wire)};
  if (const auto done = state_->runner.run(call, values); !done) return done;
  if (op == ReduceOp::kAvg) divide(values, size());
  return {};
}

Result<void> Communicator::broadcast(std::span<float> values, std::uint32_t root, Algorithm algorithm,
                                     WireType wire) {
  if (const auto fine = check(Collective::kBroadcast, algorithm); !fine) return fine;
  if (const auto fine = check_rank("broadcast", root); !fine) return fine;
  MessageHeader header = next_header(MessageHeader::Call::kBroadcast, algorithm, wire, values.size());
  header.root = root;
  const Layout layout(values.size(), unit_elements(wire));
  return state_->runner.run({Collective::kBroadcast, header, layout, units_of(values.size(), wire)}, values);
}

Result<void> Communicator::over_chunks(MessageHeader header, Collective collective, std::span<float> values,
                                       std::span<const std::uint64_t> counts) {
  const std::uint32_t unit = unit_elements(header.wire);
  // With another root the schedule's chunks come in another order than those of the vector.
  if (counts.empty() && header.root == 0) {
    const Layout layout(values.size(), unit);
    return state_->runner.run({collective, header, layout, units_of(values.size(), header.wire)}, values);
  }
  // Any chunks are two units of the schedule each, so that the algorithms that halve chunks still can.
  header.counts = fingerprint(counts);
  const auto elements_of = [&](std::uint32_t rank) {
    return counts.empty() ? chunk(rank, values.size(), header.wire).units : counts[rank];
  };
  std::uint64_t first = 0;
  for (std::uint32_t rank = 0; rank < header.root; ++rank) first += elements_of(rank);
  std::vector<Layout::Piece>& pieces = state_->pieces;
  pieces.clear();
  for (std::uint32_t i = 0; i < size(); ++i) {
    const std::uint32_t rank = (header.root + i) % size();
    if (rank == 0) first = 0;
    const std::uint64_t elements = elements_of(rank);
    const std::uint64_t half = std::min((units_of(elements, header.wire) + 1) / 2 * unit, elements);
    pieces.push_back({first, half});
    pieces.push_back({first + half, elements - half});
    first += elements;
  }
  return state_->runner.run({collective, header, Layout(pieces, unit), pieces.size()}, values);
}

Result<void> Communicator::reduce_scatter(std::span<float> values, std::span<const std::uint64_t> counts,
                                          ReduceOp op, Algorithm algorithm, WireType wire) {
  if (const auto fine = check(Collective::kReduceScatter, algorithm); !fine) return fine;
  if (const auto fine = check_counts(Collective::kReduceScatter, values.size(), counts); !fine) return fine;
  MessageHeader header = next_header(MessageHeader::Call::kReduceScatter, algorithm, wire, values.size());
  header.op = op;
  if (const auto done = over_chunks(header, Collective::kReduceScatter, values, counts); !done) return done;
  if (op != ReduceOp::kAvg) return {};
  Chunk own = chunk(rank_, values.size(), wire);
  if (!counts.empty())
    own = {std::accumulate(counts.begin(), counts.begin() + rank_, std::uint64_t{0}), counts[rank_]};
  divide(values.subspan(own.first_unit, own.units), size());
  return {};
}

Result<void> Communicator::all_gather(std::span<float> values, std::span<const std::uint64_t> counts,
                                      Algorithm algorithm, WireType wire) {
  if (const auto fine = check(Collective::kAllGather, algorithm); !fine) return fine;
  if (const auto fine = check_counts(Collective::kAllGather, values.size(), counts); !fine) return fine;
  return over_chunks(next_header(MessageHeader::Call::kAllGather, algorithm, wire, values.size()),
                     Collective::kAllGather, values, counts);
}

Result<void> Communicator::gather(std::span<float> values, std::span<const std::uint64_t> counts,
                                  std::uint32_t root, Algorithm algorithm, WireType wire) {
  if (const auto fine = check(Collective::kGather, algorithm); !fine) return fine;
  if (const auto fine = check_rank("gather", root); !fine) return fine;
  if (const auto fine = check_counts(Collective::kGather, values.size(), counts); !fine) return fine;
  MessageHeader header = next_header(MessageHeader::Call::kGather, algorithm, wire, values.size());
  header.root = root;
  return over_chunks(header, Collective::kGather, values, counts);
}

Result<void> Communicator::barrier() {
  // An all_reduce of nothing, whose messages are sent all the same.
  const Algorithm algorithm = Algorithm::kRecursiveDoubling;
  const MessageHeader header = next_header(MessageHeader::Call::kBarrier, algorithm, WireType::kF32, 0);
  return state_->runner.run({Collective::kAllReduce, header, Layout(0, 1), 1}, {});
}

Result<void> Communicator::send(std::uint32_t to, std::span<const float> values, WireType wire) {
  if (const auto fine = check_peer("send", to); !fine) return fine;
  return state_->runner.send(to, message_header(wire, values.size()), values);
}

Result<void> Communicator::recv(std::uint32_t from, std::span<float> values, WireType wire) {
  if (const auto fine = check_peer("recv", from); !fine) return fine;
  return state_->runner.recv(from, message_header(wire, values.size()), values);
}

}  // namespace spanker
