#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/text.hpp"
#include "spanker/cli/command.hpp"

namespace {

/// Colour is for a terminal whose user did not turn it off (no-color.org).
bool wants_colour() {
  const char* off = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (off == nullptr || *off == '\0');
}

/// A terminal that can draw over a line.
spanker::ProgressOutput progress_output() {
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  spanker::ProgressOutput output;
  if (::isatty(STDERR_FILENO) != 1 || is_dumb) return output;
  output.write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  };
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) output.columns = size.ws_col;
  return output;
}

/// Text that is read as it comes.
void print_text(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_error(const std::string& line) { std::fprintf(stderr, "spanker: error: %s\n", line.c_str()); }

spanker::Outcome run(const std::vector<std::string>& arguments) {
  try {
    return spanker::run_command_line(arguments, {wants_colour()}, progress_output(), print_text);
  } catch (const std::exception& fault) {
    return {spanker::ExitCode::kInternal,
            {},
            std::string("internal: ") + spanker::escape_control(fault.what()),
            {}};
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A file that grows beyond the user's limit (ulimit -f) is an error to tell, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  spanker::Outcome outcome = run({argv + 1, argv + argc});
  const bool written = std::fwrite(outcome.out.data(), 1, outcome.out.size(), stdout) == outcome.out.size() &&
                       std::fflush(stdout) == 0;
  if (!written && outcome.code == spanker::ExitCode::kFine) {
    outcome.code = spanker::ExitCode::kIo;
    outcome.error = std::string("standard output: cannot write: ") + std::strerror(errno);
  }
  if (!outcome.error.empty()) print_error(outcome.error);
  for (const std::string& warning : outcome.warnings) {
    std::fprintf(stderr, "spanker: warning: %s\n", spanker::escape_control(warning).c_str());
  }
  return static_cast<int>(outcome.code);
}
