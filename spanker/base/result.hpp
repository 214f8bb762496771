#pragma once

#include <string>
#include <tl/expected.hpp>

namespace spanker {

/// What went wrong, by who can mend it. Each kind is one exit code of the command line (docs/commands.md).
enum class ErrorKind {
  kInfeasible,  ///< the question is sound, the answer is no (exit 1)
  kBadInput,    ///< a flag, a file's content or a number is wrong (exit 2)
  kIo,          ///< a file cannot be opened, read or written (exit 3)
  kPeerLost,    ///< another card has failed, has left, or was not heard of in time (exit 3)
};

/// One failure, told so that a user can mend it: where, what, what was wanted and what was found.
/// `wanted` and `got` may be empty. Texts may hold bytes from files; `to_line` makes them printable.
struct Error {
  ErrorKind kind = ErrorKind::kBadInput;
  std::string where;   ///< file and key, file and byte offset, or flag
  std::string what;    ///< the fault in a few words
  std::string wanted;  ///< what would have been right
  std::string got;     ///< what was there
};

/// "where: what, wanted W, got G" on one line, control characters escaped, empty parts left out.
std::string to_line(const Error& error);

template <class T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

/// A failed Result of any type: `return bad_input("x.toml: cards", "too many", "1 to 65536", "0");`
Failure bad_input(std::string where, std::string what, std::string wanted = {}, std::string got = {});
Failure io_failure(std::string where, std::string what, std::string wanted = {}, std::string got = {});
Failure peer_lost(std::string where, std::string what, std::string wanted = {}, std::string got = {});

}  // namespace spanker
