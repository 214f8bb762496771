#include "spanker/comm/transport.hpp"

#include <fmt/format.h>

namespace spanker {

std::string describe(const MessageHeader& header) {
  const auto collective = [&](Collective named, std::string_view detail) {
    return fmt::format("{}{} of {} {} by {}", to_string(named), detail, header.elements,
                       to_string(header.wire), to_string(header.algorithm));
  };
  const auto words = [&]() -> std::string {
    switch (header.call) {
      case MessageHeader::Call::kSend:
        return fmt::format("send of {} {}", header.elements, to_string(header.wire));
      case MessageHeader::Call::kBarrier:
        return "barrier";
      case MessageHeader::Call::kAllReduce:
        return collective(Collective::kAllReduce, fmt::format(" ({})", to_string(header.op)));
      case MessageHeader::Call::kReduceScatter:
        return collective(Collective::kReduceScatter, fmt::format(" ({})", to_string(header.op)));
      case MessageHeader::Call::kAllGather:
        return collective(Collective::kAllGather, "");
      case MessageHeader::Call::kBroadcast:
        return collective(Collective::kBroadcast, fmt::format(" from rank {}", header.root));
      case MessageHeader::Call::kGather:
        return collective(Collective::kGather, fmt::format(" to rank {}", header.root));
      case MessageHeader::Call::kBytes:
        return fmt::format("{} bytes", header.elements);
    }
    return {};
  };
  const bool is_counted =
      header.call != MessageHeader::Call::kSend && header.call != MessageHeader::Call::kBytes;
  return is_counted ? fmt::format("{}, call {}", words(), header.number) : words();
}

}  // namespace spanker
