#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/base/result.hpp"

// Internal to this module.
namespace spanker {

/// Another program, in a process group of its own: what a terminal interrupts is this program alone. Ends
/// with this one.
class ChildProcess {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  /// Runs arguments[0], found as a shell finds it. `input` is all its standard input. `environment` is added
  /// to this program's where that does not say otherwise. Fails with kIo where it cannot be started.
  static Result<ChildProcess> start(const std::vector<std::string>& arguments, const Environment& environment,
                                    std::string input);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Kills it where it has not ended.
  ~ChildProcess();

  /// Waits until it has said something or ended, `most` at most, and hands over whole lines (the last one
  /// even where it is not whole) without their newline. Whether it goes on.
  bool listen(std::chrono::milliseconds most, const std::function<void(std::string_view)>& on_output,
              const std::function<void(std::string_view)>& on_error);

  void signal(int number) const;
  /// Waits for its end. As a shell tells it: an exit code, or 128 and the signal.
  int wait();

 private:
  struct Stream {
    int descriptor = -1;
    std::string rest;
  };

  ChildProcess(pid_t pid, int input, int output, int error, std::string to_write);
  void write_input();
  static void read(Stream& stream, const std::function<void(std::string_view)>& on_line);

  pid_t pid_;
  int input_;
  std::string to_write_;
  Stream output_;
  Stream error_;
};

}  // namespace spanker
