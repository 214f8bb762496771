#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "spanker/base/quantity.hpp"
#include "spanker/base/result.hpp"

namespace spanker {

/// A card's own memory, for its packed weights or its KV cache: zeros, aligned to a page, in huge pages where
/// the system has them to give. What is never touched costs no memory.
class Memory {
 public:
  /// Fails with kInfeasible if the system refuses that much.
  static Result<Memory> allocate(Bytes size);

  std::span<std::byte> bytes() const { return {data_.get(), data_.get_deleter().size}; }

 private:
  struct Unmap {
    std::size_t size;
    void operator()(std::byte* data) const;
  };

  std::unique_ptr<std::byte, Unmap> data_;
};

}  // namespace spanker
