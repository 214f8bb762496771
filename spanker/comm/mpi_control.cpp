#include "spanker/comm/mpi_control.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

namespace spanker {
namespace {

constexpr std::size_t kMostBytes = 8192;
constexpr std::uint32_t kNobody = ~std::uint32_t{0};
constexpr std::size_t kTexts = 4;
/// Longer than a word between hosts takes, shorter than a person notices.
constexpr Seconds kSettling{0.2};

template <class T>
void put(std::vector<std::byte>& bytes, const T& value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), first, first + sizeof value);
}

void put_text(std::vector<std::byte>& bytes, const std::string& text) {
  const std::size_t most = kMostBytes / (kTexts + 1);
  const std::uint32_t size = static_cast<std::uint32_t>(std::min(text.size(), most));
  put(bytes, size);
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  bytes.insert(bytes.end(), first, first + size);
}

/// Reads what was put, and zeros beyond its end.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  T get() {
    T value{};
    if (bytes_.size() < sizeof value) return value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return value;
  }
  std::string text() {
    const std::size_t size = std::min<std::size_t>(get<std::uint32_t>(), bytes_.size());
    std::string text(reinterpret_cast<const char*>(bytes_.data()), size);
    bytes_ = bytes_.subspan(size);
    return text;
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace

MpiControl::MpiControl(MPI_Comm world, std::uint32_t rank, std::uint32_t size)
    : world_(world), rank_(rank), peers_(size), inbox_(kMostBytes) {
  listen();
}

MpiControl::~MpiControl() {
  if (listening_ == MPI_REQUEST_NULL) return;
  MPI_Cancel(&listening_);
  MPI_Wait(&listening_, MPI_STATUS_IGNORE);
  for (Send& each : sends_) MPI_Wait(&each.request, MPI_STATUS_IGNORE);
}

void MpiControl::listen() {
  MPI_Irecv(inbox_.data(), static_cast<int>(inbox_.size()), MPI_BYTE, MPI_ANY_SOURCE, kControlTag, world_,
            &listening_);
}

void MpiControl::progress() {
  for (;;) {
    int is_there = 0;
    MPI_Status status;
    MPI_Test(&listening_, &is_there, &status);
    if (is_there == 0) break;
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    take(static_cast<std::uint32_t>(status.MPI_SOURCE), static_cast<std::size_t>(bytes));
    listen();
  }
  if (!sends_.empty()) forget_sent();
}

void MpiControl::take(std::uint32_t from, std::size_t bytes) {
  Reader reader(std::span<const std::byte>(inbox_).first(bytes));
  const Kind kind = reader.get<Kind>();
  const auto number = reader.get<std::uint64_t>();
  if (kind == Kind::kQuestion) return send(from, Kind::kAnswer, number);
  if (kind == Kind::kAnswer) {
    peers_[from].answers = number;
    return;
  }
  NetworkFailure failure;
  if (number != kNobody) failure.lost = static_cast<std::uint32_t>(number);
  failure.error.kind = reader.get<ErrorKind>();
  for (std::string* text :
       {&failure.error.where, &failure.error.what, &failure.error.wanted, &failure.error.got}) {
    *text = reader.text();
  }
  failures_.emplace(from, std::move(failure));
}

void MpiControl::send(std::uint32_t to, std::vector<std::byte> bytes) {
  Send& made = sends_.emplace_back(Send{std::move(bytes), MPI_REQUEST_NULL});
  MPI_Isend(made.bytes.data(), static_cast<int>(made.bytes.size()), MPI_BYTE, static_cast<int>(to),
            kControlTag, world_, &made.request);
}

void MpiControl::send(std::uint32_t to, Kind kind, std::uint64_t number) {
  std::vector<std::byte> bytes;
  put(bytes, kind);
  put(bytes, number);
  send(to, std::move(bytes));
}

void MpiControl::forget_sent() {
  std::erase_if(sends_, [](Send& each) {
    int done = 0;
    MPI_Test(&each.request, &done, MPI_STATUS_IGNORE);
    return done != 0;
  });
}

void MpiControl::ask(std::uint32_t rank) { send(rank, Kind::kQuestion, ++peers_[rank].asked); }

void MpiControl::fail(const NetworkFailure& failure) {
  if (has_failed()) return;
  failures_.emplace(rank_, failure);
  std::vector<std::byte> bytes;
  put(bytes, Kind::kFailure);
  put(bytes, std::uint64_t{failure.lost.value_or(kNobody)});
  put(bytes, failure.error.kind);
  for (const std::string* text :
       {&failure.error.where, &failure.error.what, &failure.error.wanted, &failure.error.got}) {
    put_text(bytes, *text);
  }
  for (std::uint32_t rank = 0; rank < peers_.size(); ++rank) {
    if (rank != rank_) send(rank, bytes);
  }
  settled();
}

const NetworkFailure& MpiControl::settled() {
  const auto start = std::chrono::steady_clock::now();
  while (!is_settled_) {
    progress();
    std::this_thread::sleep_for(Seconds(1e-3));
    is_settled_ = std::chrono::steady_clock::now() - start > kSettling;
  }
  return failures_.begin()->second;
}

std::optional<NetworkFailure> MpiControl::first() const {
  if (failures_.empty()) return std::nullopt;
  return failures_.begin()->second;
}

}  // namespace spanker
