#include "spanker/kernels/memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdint>
#include <limits>

namespace spanker {

void Memory::Unmap::operator()(std::byte* data) const { munmap(data, size); }

Result<Memory> Memory::allocate(Bytes size) {
  Memory memory;
  if (size.value == 0) return memory;
  void* data = MAP_FAILED;
  if (size.value <= std::numeric_limits<std::size_t>::max()) {
    data = mmap(nullptr, size.value, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (data == MAP_FAILED) {
    return Failure({ErrorKind::kInfeasible, "memory of a card", "the system has not that much to give",
                    fmt::format("{} bytes", size.value), ""});
  }
#ifdef MADV_HUGEPAGE
  madvise(data, size.value,
          MADV_HUGEPAGE);  // refused by kernels without huge pages, to which it makes no difference
#endif
  memory.data_ = {static_cast<std::byte*>(data), Unmap{size.value}};
  return memory;
}

}  // namespace spanker
