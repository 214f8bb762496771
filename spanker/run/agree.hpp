#pragma once

#include <string>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/comm/endpoint.hpp"

namespace spanker {

/// Cards of several processes tell each other what they have, or that they cannot go on. All of them get what
/// each has, in the order of the cards; or the same error, of the first card that has one, with its name in
/// front. Fails as collectives do, too.
Result<std::vector<std::string>> agree(Endpoint& endpoint, const Result<std::string>& own);

}  // namespace spanker
