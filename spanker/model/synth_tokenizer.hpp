#pragma once

#include "spanker/base/result.hpp"
#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/model.hpp"

// Internal to this module.
namespace spanker {

/// The keys tokenizer.ggml.* of a made-up vocabulary of exactly shape.vocab_size tokens, of the kind that
/// models of that shape have: any text is encoded by it, and decoded to the same bytes.
///
/// Llama and Mistral: SentencePiece ("llama"), namely <unk>, <s>, </s>, a token for each byte, the printable
/// ASCII characters and U+2581 for the space, then pieces of two characters and more by descending score. A
/// Llama or Mistral of 100000 tokens or more, as Llama 3: byte-level BPE ("gpt2", "llama-bpe"); a Qwen: the
/// same as "qwen2". These have a token for each byte, then merged ones, then the special tokens, with the ids
/// that the published vocabularies give them where the size is the published one, then unused ones.
///
/// Every piece is a character, or an earlier piece with one letter more, so that merging reaches it. Fails
/// with kBadInput where there is no room for the bytes and the special tokens.
Result<void> put_synthetic_tokenizer(GgufWriter& writer, const Model& model);

}  // namespace spanker
