#include "spanker/tokenizer/pre_tokenizer.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cassert>
#include <cstdint>
#include <limits>
#include <new>

#include "spanker/base/utf8.hpp"

namespace spanker {
namespace {

// Where the publishers write \s, these say \p{White_Space}, which is what \s is in the libraries that the
// publishers use; PCRE2's own has U+180E too.

// tokenizer.json of meta-llama/Meta-Llama-3-8B.
constexpr char kLlama3[] = R"((?i:'s|'t|'re|'ve|'m|'ll|'d))"
                           R"(|[^\r\n\p{L}\p{N}]?\p{L}+)"
                           R"(|\p{N}{1,3})"
                           R"(| ?[^\p{White_Space}\p{L}\p{N}]+[\r\n]*)"
                           R"(|\p{White_Space}*[\r\n]+)"
                           R"(|\p{White_Space}+(?!\P{White_Space}))"
                           R"(|\p{White_Space}+)";

// tokenizer.json of Qwen/Qwen2.5-7B: a number's digits stay apart.
constexpr char kQwen2[] = R"((?i:'s|'t|'re|'ve|'m|'ll|'d))"
                          R"(|[^\r\n\p{L}\p{N}]?\p{L}+)"
                          R"(|\p{N})"
                          R"(| ?[^\p{White_Space}\p{L}\p{N}]+[\r\n]*)"
                          R"(|\p{White_Space}*[\r\n]+)"
                          R"(|\p{White_Space}+(?!\P{White_Space}))"
                          R"(|\p{White_Space}+)";

// encoder.py of openai/gpt-2.
constexpr char kGpt2[] = R"('s|'t|'re|'ve|'m|'ll|'d)"
                         R"(| ?\p{L}+)"
                         R"(| ?\p{N}+)"
                         R"(| ?[^\p{White_Space}\p{L}\p{N}]+)"
                         R"(|\p{White_Space}+(?!\P{White_Space}))"
                         R"(|\p{White_Space}+)";

// Names that llama.cpp's converter gave to the same expression are rows of their own. tokenizer.json of Llama
// 3 has "ignore_merges": true, and its template puts the first token before every text.
constexpr PreTokenizerRules kRules[] = {
    {"llama-bpe", kLlama3, true, true},         {"llama3", kLlama3, true, true},
    {"llama-v3", kLlama3, true, true},          {"qwen2", kQwen2, false, false},
    {"deepseek-r1-qwen", kQwen2, false, false}, {"gpt-2", kGpt2, false, false},
};

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Code = std::unique_ptr<pcre2_code, Free<pcre2_code_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>>;

template <class Owner>
Owner allocated(typename Owner::pointer object) {
  if (object == nullptr) throw std::bad_alloc();
  return Owner(object);
}

}  // namespace

std::span<const PreTokenizerRules> pre_tokenizers() { return kRules; }

struct PreTokenizer::Expression {
  Code code;
  MatchContext context;

  std::size_t match(std::string_view text, std::size_t start, pcre2_match_data* data) const {
    const int found = pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), start,
                                  PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, data, context.get());
    // Every character begins a match of every expression, so that nothing else can fail.
    if (found < 0) throw std::bad_alloc();
    return pcre2_get_ovector_pointer(data)[1];
  }
};

PreTokenizer::PreTokenizer(const PreTokenizerRules& rules) {
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(rules.pattern), PCRE2_ZERO_TERMINATED,
                                   PCRE2_UTF | PCRE2_UCP, &error, &at, nullptr);
  assert((code != nullptr || error == PCRE2_ERROR_HEAP_FAILED) && "an expression of ours is wrong");
  MatchContext context = allocated<MatchContext>(pcre2_match_context_create(nullptr));
  // A run of spaces is tried back to its start once, and each step counts; no expression does worse than
  // that.
  pcre2_set_match_limit(context.get(), std::numeric_limits<std::uint32_t>::max());
  expression_.reset(new Expression{allocated<Code>(code), std::move(context)});
}

PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

void PreTokenizer::for_each_word(std::string_view text,
                                 const std::function<void(std::string_view word)>& use) const {
  const auto data = allocated<MatchData>(pcre2_match_data_create(1, nullptr));
  while (!text.empty()) {
    const std::string_view valid = text.substr(0, valid_utf8_length(text));
    for (std::size_t start = 0; start < valid.size();) {
      const std::size_t end = expression_->match(valid, start, data.get());
      use(valid.substr(start, end - start));
      start = end;
    }
    text.remove_prefix(valid.size());
    if (text.empty()) break;
    use(text.substr(0, 1));
    text.remove_prefix(1);
  }
}

}  // namespace spanker
