#include "spanker/model/synth_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spanker {
namespace {

/// As llama.cpp numbers them (llama.h, enum llama_token_type).
enum TokenType : std::int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUnused = 5, kByte = 6 };

struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;

  void add(std::string token, TokenType type) {
    tokens.push_back(std::move(token));
    types.push_back(type);
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(tokens.size()); }
};

constexpr std::string_view kWords =
    "the of and to in is that it was for on are as with his they be at one have this from or had by hot but "
    "some what there we can out other were all your when up use word how said an each she which do their "
    "time "
    "if will way about many then them would write like so these her long make thing see him two has look "
    "more "
    "day could go come did my sound no most number who over know water than call first people may down side "
    "been now find any new work part take get place made live where after back little only round man year "
    "came "
    "show every good me give our under name very through just form much great think say help low line before "
    "turn cause same mean differ move right boy old too does tell sentence set three want air well also play "
    "small end put home read hand port large spell add even land here must big high such follow act why ask "
    "men change went light kind off need house picture try us again animal point mother world near build "
    "self "
    "earth father model token card memory layer link weight cluster attention prompt answer question";

constexpr std::string_view kEndings =
    "ing ed er ers ly tion ness ment able ful less est ies es al ity ive ous ence ance ism ist ward ship";

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// `count` different texts of two characters and more, each an earlier one or a single character with one
/// letter more: common words after a `space`, word endings, then all combinations of letters by length.
std::vector<std::string> merged_pieces(std::string_view space, std::size_t count) {
  std::vector<std::string> pieces;
  std::set<std::string, std::less<>> common;
  const auto add_with_beginnings = [&](std::string_view start, std::string_view word) {
    for (std::size_t length = start.empty() ? 2 : 1; length <= word.size(); ++length) {
      std::string piece = std::string(start).append(word.substr(0, length));
      if (pieces.size() < count && common.insert(piece).second) pieces.push_back(std::move(piece));
    }
  };
  // Words first: where their beginnings merge before all else, no ending can take a letter from them.
  for (const std::string_view word : words_of(kWords)) add_with_beginnings(space, word);
  for (const std::string_view ending : words_of(kEndings)) add_with_beginnings({}, ending);

  std::vector<std::string> shorter = {"", std::string(space)};
  while (pieces.size() < count) {
    std::vector<std::string> longer;
    for (const std::string& start : shorter) {
      for (char letter = 'a'; letter <= 'z' && pieces.size() < count; ++letter) {
        longer.push_back(start + letter);
        const bool is_character = start.empty();
        if (!is_character && !common.contains(longer.back())) pieces.push_back(longer.back());
      }
    }
    shorter = std::move(longer);
  }
  return pieces;
}

Failure too_small(const Model& model, std::size_t wanted) {
  return bad_input(fmt::format("{}: vocab_size", model.name),
                   "too small for a tokenizer that knows all bytes", fmt::format("at least {}", wanted),
                   std::to_string(model.shape.vocab_size));
}

void put_vocabulary(GgufWriter& writer, const Vocabulary& vocabulary) {
  writer.put_strings("tokenizer.ggml.tokens", vocabulary.tokens);
  writer.put_int32s("tokenizer.ggml.token_type", vocabulary.types);
}

Result<void> put_sentencepiece(GgufWriter& writer, const Model& model) {
  constexpr std::string_view kSpace = "\u2581";
  const std::uint32_t size = model.shape.vocab_size;
  Vocabulary vocabulary;
  vocabulary.add("<unk>", kUnknown);
  vocabulary.add("<s>", kControl);
  vocabulary.add("</s>", kControl);
  for (int byte = 0; byte < 256; ++byte) vocabulary.add(fmt::format("<0x{:02X}>", byte), kByte);
  const std::uint32_t first_piece = vocabulary.size();
  // Without it the space would be encoded as the three bytes of kSpace, and come back as those.
  vocabulary.add(std::string(kSpace), kNormal);
  if (vocabulary.size() > size) return too_small(model, vocabulary.size());

  for (char c = '!'; c <= '~'; ++c) vocabulary.add(std::string(1, c), kNormal);
  vocabulary.tokens.resize(std::min(vocabulary.size(), size));
  vocabulary.types.resize(vocabulary.tokens.size());
  for (std::string& piece : merged_pieces(kSpace, size - vocabulary.size())) {
    vocabulary.add(std::move(piece), kNormal);
  }
  std::vector<float> scores(size, 0.0f);
  for (std::uint32_t id = first_piece; id < size; ++id) scores[id] = -static_cast<float>(id - first_piece);

  writer.put_string("tokenizer.ggml.model", "llama");
  writer.put_string("tokenizer.ggml.pre", "default");
  put_vocabulary(writer, vocabulary);
  writer.put_float32s("tokenizer.ggml.scores", scores);
  writer.put_uint32("tokenizer.ggml.unknown_token_id", 0);
  writer.put_uint32("tokenizer.ggml.bos_token_id", 1);
  writer.put_uint32("tokenizer.ggml.eos_token_id", 2);
  writer.put_bool("tokenizer.ggml.add_bos_token", true);
  writer.put_bool("tokenizer.ggml.add_eos_token", false);
  writer.put_bool("tokenizer.ggml.add_space_prefix", true);
  return {};
}

/// What tells one byte-level BPE from another.
struct BytePairFamily {
  std::string_view pre;       ///< how text is cut into words
  std::uint32_t text_tokens;  ///< of the published vocabulary, before the special ones
  std::span<const std::string_view> special;
  std::uint32_t bos, eos;  ///< places in `special`
  bool add_bos;
};

// tokenizer.json of meta-llama/Meta-Llama-3-8B: ids 128000 to 128009. More reserved ones follow there.
constexpr std::string_view kLlamaSpecial[] = {"<|begin_of_text|>",
                                              "<|end_of_text|>",
                                              "<|reserved_special_token_0|>",
                                              "<|reserved_special_token_1|>",
                                              "<|reserved_special_token_2|>",
                                              "<|reserved_special_token_3|>",
                                              "<|start_header_id|>",
                                              "<|end_header_id|>",
                                              "<|reserved_special_token_4|>",
                                              "<|eot_id|>"};
constexpr BytePairFamily kLlamaFamily = {"llama-bpe", 128000, kLlamaSpecial, 0, 1, true};

// tokenizer_config.json of Qwen/Qwen2.5-7B-Instruct: ids 151643 to 151645.
constexpr std::string_view kQwenSpecial[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
constexpr BytePairFamily kQwenFamily = {"qwen2", 151643, kQwenSpecial, 0, 2, false};

std::string utf8_below_2048(std::uint32_t code_point) {
  if (code_point < 0x80) return std::string(1, static_cast<char>(code_point));
  return {static_cast<char>(0xC0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3F))};
}

/// The visible characters that stand for the bytes: the byte's own in Latin 1 where that is visible, the
/// others in order from U+0100. In GPT-2's order, which puts the visible ones first (openai/gpt-2,
/// encoder.py, bytes_to_unicode).
std::vector<std::string> byte_characters() {
  std::vector<std::string> visible;
  std::vector<std::string> others;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool is_visible = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    if (is_visible) {
      visible.push_back(utf8_below_2048(byte));
    } else {
      others.push_back(utf8_below_2048(0x100 + static_cast<std::uint32_t>(others.size())));
    }
  }
  visible.insert(visible.end(), others.begin(), others.end());
  return visible;
}

Result<void> put_byte_pairs(GgufWriter& writer, const Model& model, const BytePairFamily& family) {
  constexpr std::string_view kSpace = "\u0120";
  const std::uint32_t size = model.shape.vocab_size;
  Vocabulary vocabulary;
  for (std::string& character : byte_characters()) vocabulary.add(std::move(character), kNormal);
  const auto special = static_cast<std::uint32_t>(family.special.size());
  if (vocabulary.size() + special > size) return too_small(model, vocabulary.size() + special);

  const std::uint32_t text_tokens = std::min(family.text_tokens, size - special);
  std::vector<std::string> merges;
  for (std::string& piece : merged_pieces(kSpace, text_tokens - vocabulary.size())) {
    merges.push_back(piece.substr(0, piece.size() - 1) + " " + piece.back());
    vocabulary.add(std::move(piece), kNormal);
  }
  for (const std::string_view token : family.special) vocabulary.add(std::string(token), kControl);
  while (vocabulary.size() < size) vocabulary.add(fmt::format("[PAD{}]", vocabulary.size()), kUnused);

  writer.put_string("tokenizer.ggml.model", "gpt2");
  writer.put_string("tokenizer.ggml.pre", family.pre);
  put_vocabulary(writer, vocabulary);
  writer.put_strings("tokenizer.ggml.merges", merges);
  writer.put_uint32("tokenizer.ggml.bos_token_id", text_tokens + family.bos);
  writer.put_uint32("tokenizer.ggml.eos_token_id", text_tokens + family.eos);
  writer.put_bool("tokenizer.ggml.add_bos_token", family.add_bos);
  return {};
}

}  // namespace

Result<void> put_synthetic_tokenizer(GgufWriter& writer, const Model& model) {
  constexpr std::uint32_t kSmallestOfLlama3 = 100000;
  const bool is_qwen =
      model.shape.architecture != Architecture::kLlama && model.shape.architecture != Architecture::kMistral;
  if (is_qwen) return put_byte_pairs(writer, model, kQwenFamily);
  if (model.shape.vocab_size >= kSmallestOfLlama3) return put_byte_pairs(writer, model, kLlamaFamily);
  return put_sentencepiece(writer, model);
}

}  // namespace spanker
