#pragma once

namespace spanker {

/// For loops that wait for another thread: lets the processor save power, or give way to its other thread.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace spanker
