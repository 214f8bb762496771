#pragma once

#include <optional>

#include "spanker/base/result.hpp"

namespace spanker {

/// The first fault that was found. Readers go on with stand-in values after it, so that they read straight
/// down.
class FirstFault {
 public:
  void note(const Failure& failure) {
    if (!error_) error_ = failure.value();
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace spanker
