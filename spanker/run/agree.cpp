#include "spanker/run/agree.hpp"

#include "spanker/base/first_fault.hpp"
#include "spanker/base/parse_json.hpp"
#include "spanker/base/strict_object.hpp"
#include "spanker/comm/byte_messages.hpp"

namespace spanker {
namespace {

/// What a card has starts with one of these.
constexpr char kFine = '+';
constexpr char kBroken = '-';

constexpr ErrorKind kKinds[] = {ErrorKind::kInfeasible, ErrorKind::kBadInput, ErrorKind::kIo,
                                ErrorKind::kPeerLost};

std::string text_of(const Error& error) {
  const nlohmann::json json = {{"kind", static_cast<int>(error.kind)},
                               {"where", error.where},
                               {"what", error.what},
                               {"wanted", error.wanted},
                               {"got", error.got}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Error error_from(std::string_view text, const std::string& card) {
  const auto json = parse_json_object(text, card, "an error");
  if (!json) return json.error();
  FirstFault fault;
  const StrictObject object(*json, card, "", fault);
  Error error;
  error.kind = kKinds[object.integer<std::size_t>("kind", 0, std::size(kKinds) - 1)];
  const std::string where = object.text("where");
  error.where = where.empty() ? card : card + ": " + where;
  error.what = object.text("what");
  error.wanted = object.text("wanted");
  error.got = object.text("got");
  return fault.error().value_or(error);
}

}  // namespace

Result<std::vector<std::string>> agree(Endpoint& endpoint, const Result<std::string>& own) {
  auto all = all_gather_bytes(endpoint, own ? kFine + *own : kBroken + text_of(own.error()));
  if (!all) return all;
  for (std::size_t card = 0; card < all->size(); ++card) {
    std::string& text = (*all)[card];
    const std::string name = endpoint.transport().name(static_cast<std::uint32_t>(card));
    if (text.empty()) return bad_input(name, "says nothing");
    if (text.front() != kFine) return Failure(error_from(std::string_view(text).substr(1), name));
    text.erase(0, 1);
  }
  return all;
}

}  // namespace spanker
