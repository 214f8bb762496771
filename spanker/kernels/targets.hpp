#pragma once

// Attributes of functions that use more instructions than the compiler's command line allows. Everything that
// such a function inlines and that touches vectors must carry the same attribute.

#if defined(__x86_64__)
#define SPANKER_X86 1
#define SPANKER_AVX2 __attribute__((target("avx2,fma,f16c")))
#define SPANKER_AVX512 __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#else
#define SPANKER_X86 0
#endif

// NEON belongs to every AArch64 processor, so it needs no attribute.
#if defined(__aarch64__)
#define SPANKER_ARM64 1
#else
#define SPANKER_ARM64 0
#endif
