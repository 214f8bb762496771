#include "spanker/cli/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace spanker {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return io_failure("pipe", "cannot be made", {}, std::strerror(errno));
  return Pipe{ends[0], ends[1]};
}

void close_all(std::initializer_list<int> descriptors) {
  for (const int descriptor : descriptors) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

/// write(), where one to what nobody reads any more is an error (EPIPE) and no signal that ends the program.
ssize_t write_quietly(int descriptor, std::string_view bytes) {
  sigset_t broken_pipe, before;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
  const int error = errno;
  constexpr timespec kNow{};
  if (written < 0 && error == EPIPE) ::sigtimedwait(&broken_pipe, nullptr, &kNow);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

/// In the child: becomes the program, or tells through `report` why not.
[[noreturn]] void become(char* const* arguments, int input, int output, int error, int report) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(error, STDERR_FILENO);
  ::execvp(arguments[0], arguments);
  const int why = errno;
  (void)!::write(report, &why, sizeof why);
  ::_exit(127);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& arguments,
                                         const Environment& environment, std::string input) {
  std::array<Pipe, 4> pipes;  // input, output, error, and why it does not start
  for (Pipe& each : pipes) {
    auto made = make_pipe();
    if (!made) {
      for (const Pipe& open : pipes) close_all({open.read_end, open.write_end});
      return Failure(made.error());
    }
    each = *made;
  }
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 0);
    become(words.data(), pipes[0].read_end, pipes[1].write_end, pipes[2].write_end, pipes[3].write_end);
  }
  const int fork_error = errno;
  close_all({pipes[0].read_end, pipes[1].write_end, pipes[2].write_end, pipes[3].write_end});
  int why = pid < 0 ? fork_error : 0;
  const bool has_started = pid > 0 && ::read(pipes[3].read_end, &why, sizeof why) == 0;
  ::close(pipes[3].read_end);
  if (!has_started) {
    close_all({pipes[0].write_end, pipes[1].read_end, pipes[2].read_end});
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    return io_failure(arguments.front(), "cannot be started", {}, std::strerror(why));
  }
  return ChildProcess(pid, pipes[0].write_end, pipes[1].read_end, pipes[2].read_end, std::move(input));
}

ChildProcess::ChildProcess(pid_t pid, int input, int output, int error, std::string to_write)
    : pid_(pid), input_(input), to_write_(std::move(to_write)), output_{output, {}}, error_{error, {}} {
  ::fcntl(input_, F_SETFL, O_NONBLOCK);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      to_write_(std::move(other.to_write_)),
      output_(std::exchange(other.output_, {})),
      error_(std::exchange(other.error_, {})) {}

ChildProcess::~ChildProcess() {
  close_all({input_, output_.descriptor, error_.descriptor});
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void ChildProcess::write_input() {
  const ssize_t written = write_quietly(input_, to_write_);
  if (written > 0) to_write_.erase(0, static_cast<std::size_t>(written));
  // One that does not read its input says so itself.
  const bool is_broken = written < 0 && errno != EAGAIN && errno != EINTR;
  if (to_write_.empty() || is_broken) ::close(std::exchange(input_, -1));
}

void ChildProcess::read(Stream& stream, const std::function<void(std::string_view)>& on_line) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::read(stream.descriptor, buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) {
    ::close(std::exchange(stream.descriptor, -1));
    if (!stream.rest.empty()) on_line(std::exchange(stream.rest, {}));
    return;
  }
  stream.rest.append(buffer.data(), static_cast<std::size_t>(got));
  std::size_t start = 0;
  for (std::size_t end = 0; (end = stream.rest.find('\n', start)) != std::string::npos; start = end + 1) {
    on_line(std::string_view(stream.rest).substr(start, end - start));
  }
  stream.rest.erase(0, start);
}

bool ChildProcess::listen(std::chrono::milliseconds most,
                          const std::function<void(std::string_view)>& on_output,
                          const std::function<void(std::string_view)>& on_error) {
  std::array<pollfd, 3> polled = {pollfd{output_.descriptor, POLLIN, 0}, pollfd{error_.descriptor, POLLIN, 0},
                                  pollfd{input_, POLLOUT, 0}};
  if (::poll(polled.data(), polled.size(), static_cast<int>(most.count())) > 0) {
    if (polled[0].revents != 0) read(output_, on_output);
    if (polled[1].revents != 0) read(error_, on_error);
    if (polled[2].revents != 0) write_input();
  }
  return output_.descriptor >= 0 || error_.descriptor >= 0;
}

int ChildProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace spanker
