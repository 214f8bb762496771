#include "spanker/comm/byte_messages.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace spanker {
namespace {

Result<void> send(Endpoint& endpoint, std::uint32_t to, std::string_view bytes) {
  MessageHeader header;
  header.call = MessageHeader::Call::kBytes;
  header.elements = bytes.size();
  const Message message{header, std::as_bytes(std::span(bytes))};
  Transport& transport = endpoint.transport();
  if (auto sent = transport.send(to, message, endpoint.timeout()); !sent) {
    return endpoint.give_up(sent.error(), fmt::format("{} to {}", describe(header), transport.name(to)));
  }
  return {};
}

Result<void> finish_sends(Endpoint& endpoint) {
  if (auto done = endpoint.transport().finish_sends(endpoint.timeout()); !done) {
    return endpoint.give_up(done.error(), "bytes");
  }
  return {};
}

Result<std::string> receive(Endpoint& endpoint, std::uint32_t from) {
  Transport& transport = endpoint.transport();
  auto message = transport.receive(from, endpoint.timeout());
  if (message && message->header.call != MessageHeader::Call::kBytes) {
    message =
        bad_input({}, transport.name(from) + " calls something else", "bytes", describe(message->header));
  }
  if (!message) return endpoint.give_up(message.error(), "bytes from " + transport.name(from));
  std::string bytes(reinterpret_cast<const char*>(message->payload.data()), message->payload.size());
  transport.release(from);
  return bytes;
}

std::string packed(const std::vector<std::string>& all) {
  std::string bytes;
  for (const std::string& each : all) {
    const std::uint64_t size = each.size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += each;
  }
  return bytes;
}

/// Of what packed() made of `count` texts; nothing where it did not.
std::optional<std::vector<std::string>> unpacked(std::string_view bytes, std::size_t count) {
  std::vector<std::string> all;
  while (all.size() < count) {
    std::uint64_t size = 0;
    if (bytes.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (bytes.size() < size) return std::nullopt;
    all.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return all;
}

}  // namespace

Result<std::vector<std::string>> gather_bytes(Endpoint& endpoint, std::string_view own) {
  std::vector<std::string> all;
  if (endpoint.transport().card() > 0) {
    if (auto sent = send(endpoint, 0, own); !sent) return Failure(sent.error());
    if (auto done = finish_sends(endpoint); !done) return Failure(done.error());
    return all;
  }
  all.emplace_back(own);
  for (std::uint32_t card = 1; card < endpoint.transport().card_count(); ++card) {
    auto bytes = receive(endpoint, card);
    if (!bytes) return Failure(bytes.error());
    all.push_back(std::move(*bytes));
  }
  return all;
}

Result<std::string> broadcast_bytes(Endpoint& endpoint, std::string_view own) {
  if (endpoint.transport().card() > 0) return receive(endpoint, 0);
  for (std::uint32_t card = 1; card < endpoint.transport().card_count(); ++card) {
    if (auto sent = send(endpoint, card, own); !sent) return Failure(sent.error());
  }
  if (auto done = finish_sends(endpoint); !done) return Failure(done.error());
  return std::string(own);
}

Result<std::vector<std::string>> all_gather_bytes(Endpoint& endpoint, std::string_view own) {
  const auto gathered = gather_bytes(endpoint, own);
  if (!gathered) return gathered;
  const auto bytes = broadcast_bytes(endpoint, packed(*gathered));
  if (!bytes) return Failure(bytes.error());
  auto all = unpacked(*bytes, endpoint.transport().card_count());
  if (!all) {
    const Error error{ErrorKind::kBadInput, {}, "what all cards have is cut off", {}, {}};
    return endpoint.give_up(error, "bytes from " + endpoint.transport().name(0));
  }
  return std::move(*all);
}

}  // namespace spanker
