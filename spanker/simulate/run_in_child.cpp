#include "spanker/simulate/run_in_child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <utility>

namespace spanker {
namespace {

constexpr const char* kWhere = "simulation";
constexpr std::chrono::milliseconds kBetweenReports(100);

constexpr char kProgress = 'p';
constexpr char kResult = 'r';
constexpr char kFailure = 'f';

/// Each message is one of these and `size` bytes.
struct MessageHead {
  std::uint64_t size = 0;
  char kind = 0;
};

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }

  int get() const { return value_; }

 private:
  int value_ = -1;
};

void write_all(int descriptor, const void* data, std::size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);  // nobody listens any more
    next += written;
    size -= static_cast<std::size_t>(written);
  }
}

void write_message(int descriptor, char kind, std::string_view payload) {
  const MessageHead head{payload.size(), kind};
  write_all(descriptor, &head, sizeof head);
  write_all(descriptor, payload.data(), payload.size());
}

Failure failed_call(const char* call) {
  return io_failure(kWhere, fmt::format("{}: {}", call, std::strerror(errno)));
}

/// What a child that told nothing itself was about, as far as it can be seen.
std::string last_words(int messages) {
  std::array<char, 300> text{};
  const ssize_t size = ::pread(messages, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

Failure unexpected_end(int status, int messages) {
  std::string how = "ended without a result";
  if (WIFSIGNALED(status)) {
    how = fmt::format("ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  } else if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    how = fmt::format("ended with exit code {}", WEXITSTATUS(status));
  }
  return io_failure(kWhere, "its process " + how, "a result", last_words(messages));
}

/// The child's messages as they come in pieces.
struct Inbox {
  std::string bytes;  ///< of the message that is not complete yet
  EngineProgress progress;
  std::optional<std::string> result;
  std::optional<std::string> failure;

  void add(const char* data, std::size_t size) {
    bytes.append(data, size);
    MessageHead head;
    while (bytes.size() >= sizeof head) {
      std::memcpy(&head, bytes.data(), sizeof head);
      if (bytes.size() - sizeof head < head.size) return;
      std::string rest = bytes.substr(sizeof head + head.size);
      bytes.resize(sizeof head + head.size);
      bytes.erase(0, sizeof head);
      if (head.kind == kProgress && head.size == sizeof progress)
        std::memcpy(&progress, bytes.data(), sizeof progress);
      if (head.kind == kResult) result = std::move(bytes);
      if (head.kind == kFailure) failure = std::move(bytes);
      bytes = std::move(rest);
    }
  }
};

/// Reads until the child has closed its end; false if `progress` wants no more.
bool receive(int descriptor, const EngineProgressCallback& progress, Inbox& inbox) {
  std::array<char, 1 << 16> buffer;
  auto last_call = std::chrono::steady_clock::now();
  while (true) {
    pollfd ready{descriptor, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(kBetweenReports.count()));
    if (count > 0) {
      const ssize_t size = ::read(descriptor, buffer.data(), buffer.size());
      if (size == 0 || (size < 0 && errno != EINTR)) return true;
      if (size > 0) inbox.add(buffer.data(), static_cast<std::size_t>(size));
    }
    const auto now = std::chrono::steady_clock::now();
    // A signal that the program noted is a reason to ask at once.
    if (count >= 0 && now - last_call < kBetweenReports) continue;
    last_call = now;
    if (progress && !progress(inbox.progress)) return false;
  }
}

[[noreturn]] void be_child(pid_t parent, Descriptor line, const Descriptor& messages,
                           const std::function<void(ParentLine&)>& work) {
  // However the parent ends, this process ends too. Ctrl-C is the parent's to decide about.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGHUP, SIG_DFL);
  ::dup2(messages.get(), STDOUT_FILENO);
  ::dup2(messages.get(), STDERR_FILENO);
  ParentLine to_parent(line.get());
  try {
    work(to_parent);
  } catch (const std::exception& error) {
    to_parent.fail(error.what());
  }
  ::_exit(1);
}

}  // namespace

void ParentLine::report(const EngineProgress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_report_ < kBetweenReports) return;
  last_report_ = now;
  write_message(descriptor_, kProgress, {reinterpret_cast<const char*>(&progress), sizeof progress});
}

void ParentLine::fail(std::string_view what) const { end(kFailure, what); }

void ParentLine::finish(std::string_view result) const { end(kResult, result); }

void ParentLine::end(char kind, std::string_view payload) const {
  write_message(descriptor_, kind, payload);
  // Exit handlers and what stands in buffers are the parent's.
  ::_exit(0);
}

Result<std::string> run_in_child(const std::function<void(ParentLine&)>& work,
                                 const EngineProgressCallback& progress) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed_call("pipe");
  Descriptor from_child(ends[0]);
  Descriptor to_parent(ends[1]);
  const Descriptor messages(::memfd_create("spanker-simulation", MFD_CLOEXEC));
  if (messages.get() < 0) return failed_call("memfd_create");

  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return failed_call("fork");
  if (child == 0) {
    from_child = Descriptor();
    be_child(parent, std::move(to_parent), messages, work);
  }
  to_parent = Descriptor();

  Inbox inbox;
  const bool wanted = receive(from_child.get(), progress, inbox);
  if (!wanted) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!wanted) return io_failure(kWhere, "interrupted");
  if (inbox.failure) return io_failure(kWhere, *inbox.failure);
  if (inbox.result) return std::move(*inbox.result);
  return unexpected_end(status, messages.get());
}

}  // namespace spanker
