#include "spanker/comm/local_cards.hpp"

#include <fmt/format.h>

#include <exception>
#include <list>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "spanker/comm/local_transport.hpp"

namespace spanker {
namespace {

constexpr Seconds kSpin{50e-6};

Seconds spin_of(const LocalCardsOptions& options, std::uint32_t cards) {
  if (options.spin) return *options.spin;
  return cards <= std::thread::hardware_concurrency() ? kSpin : Seconds(0);
}

}  // namespace

Result<void> run_in_process(std::uint32_t cards, const std::function<Result<void>(Communicator&)>& card,
                            const LocalCardsOptions& options) {
  if (cards < 1 || cards > kMostLocalCards) {
    return bad_input("cards", "out of range", fmt::format("1 to {} in one process", kMostLocalCards),
                     fmt::to_string(cards));
  }
  LocalNetwork network(cards, spin_of(options, cards));
  std::list<Endpoint> endpoints;  // until no card reads from another any more
  std::vector<std::exception_ptr> thrown(cards);
  const auto run = [&](std::uint32_t index, Endpoint& endpoint) {
    try {
      Communicator communicator(endpoint);
      if (const Result<void> done = card(communicator); !done) {
        // Where the communicator itself broke, all know already.
        Error error = done.error();
        error.where = fmt::format("card {}: {}", index, error.where);
        network.fail(index, error);
      }
    } catch (...) {
      thrown[index] = std::current_exception();
      network.fail(index,
                   {ErrorKind::kPeerLost, fmt::format("card {}", index), "has thrown an exception", {}, {}});
    }
    network.leave(index);
  };
  std::vector<std::jthread> threads;
  try {
    for (std::uint32_t index = 0; index < cards; ++index) {
      Endpoint& endpoint =
          endpoints.emplace_back(std::make_unique<LocalTransport>(network, index), options.timeout);
      threads.emplace_back(run, index, std::ref(endpoint));
    }
  } catch (const std::system_error& error) {
    network.fail(static_cast<std::uint32_t>(threads.size()), {ErrorKind::kIo,
                                                              fmt::format("card {}", threads.size()),
                                                              "its thread cannot be started",
                                                              {},
                                                              error.what()});
  }
  threads.clear();  // joins
  for (const std::exception_ptr& each : thrown) {
    if (each) std::rethrow_exception(each);
  }
  if (const auto failure = network.first_failure()) return Failure(*failure);
  if (const auto unread = network.unread_message()) return Failure(*unread);
  return {};
}

}  // namespace spanker
