#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/comm/endpoint.hpp"

namespace spanker {

// What cards have to tell each other besides vectors. All cards of the endpoint's network make the same calls
// in the same order, between collectives. Fail as collectives do.

/// What each card has, in the order of the cards, on card 0; nothing on the others.
Result<std::vector<std::string>> gather_bytes(Endpoint& endpoint, std::string_view own);

/// On every card what card 0 has.
Result<std::string> broadcast_bytes(Endpoint& endpoint, std::string_view own);

/// On every card what each card has, in the order of the cards.
Result<std::vector<std::string>> all_gather_bytes(Endpoint& endpoint, std::string_view own);

}  // namespace spanker
