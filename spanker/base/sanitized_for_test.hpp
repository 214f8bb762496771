#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
#define SPANKER_SANITIZED 1
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SPANKER_SANITIZED 1
#endif
#endif
#ifndef SPANKER_SANITIZED
#define SPANKER_SANITIZED 0
#endif

namespace spanker::testing {

/// Whether a sanitizer watches: it takes address space of its own, and several times the time.
inline constexpr bool kIsSanitized = SPANKER_SANITIZED;

}  // namespace spanker::testing
