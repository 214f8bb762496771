#include "spanker/base/result.hpp"

#include <utility>

#include "spanker/base/text.hpp"

namespace spanker {

std::string to_line(const Error& error) {
  std::string line = escape_control(error.where);
  if (!line.empty()) line += ": ";
  line += escape_control(error.what);
  if (!error.wanted.empty()) line += ", wanted " + escape_control(error.wanted);
  if (!error.got.empty()) line += ", got " + escape_control(error.got);
  return line;
}

namespace {
Failure fail(ErrorKind kind, std::string where, std::string what, std::string wanted, std::string got) {
  return Failure(Error{kind, std::move(where), std::move(what), std::move(wanted), std::move(got)});
}
}  // namespace

Failure bad_input(std::string where, std::string what, std::string wanted, std::string got) {
  return fail(ErrorKind::kBadInput, std::move(where), std::move(what), std::move(wanted), std::move(got));
}

Failure io_failure(std::string where, std::string what, std::string wanted, std::string got) {
  return fail(ErrorKind::kIo, std::move(where), std::move(what), std::move(wanted), std::move(got));
}

Failure peer_lost(std::string where, std::string what, std::string wanted, std::string got) {
  return fail(ErrorKind::kPeerLost, std::move(where), std::move(what), std::move(wanted), std::move(got));
}

}  // namespace spanker
