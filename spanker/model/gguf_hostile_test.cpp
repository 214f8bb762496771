#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "spanker/model/gguf_files_for_test.hpp"
#include "spanker/model/gguf_model.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

/// One small layer of two experts.
Model small_model() {
  const ModelShape shape{Architecture::kQwen3Moe, 1, 32, 32, 2, 1, 16, 4, 8, 1e-6, 1e6, false, 2, 1};
  return make_model("tiny", shape, TensorType::kQ8_0).value();
}

/// A whole valid file with a vocabulary; the last tensor fills its padding.
const std::string& valid_file() {
  static const std::string bytes = [] {
    GgufWriter writer;
    put_model(writer, small_model());
    const std::string words[] = {"a", "b", "<0x00>", "\xE2\x96\x81"};
    const float scores[] = {0, -1, -2, -3};
    writer.put_strings("tokenizer.ggml.tokens", words);
    writer.put_float32s("tokenizer.ggml.scores", scores);
    writer.put_bool("tokenizer.ggml.add_bos_token", true);
    writer.put_tensor("rope_freqs.weight", {TensorType::kF32, 8, 1});
    return testing::whole_file(writer);
  }();
  return bytes;
}

/// Reads as a caller would. Where that succeeds, everything lies inside the bytes; an error is one line of
/// bad input.
Result<Model> read(const std::vector<std::string>& files) {
  const auto join = [&]() -> Result<GgufFiles> {
    std::vector<GgufFile> parts;
    for (const std::string& bytes : files) {
      auto file = GgufFile::parse(std::as_bytes(std::span(bytes)), "hostile.gguf");
      if (!file) return tl::unexpected(file.error());
      parts.push_back(std::move(*file));
    }
    return GgufFiles::join(std::move(parts));
  };
  const auto joined = join();
  auto model = joined.and_then(model_from_gguf);
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto span = std::as_bytes(std::span(files[i]));
    size += span.size();
    if (!joined) continue;
    for (const GgufTensor& tensor : joined->parts()[i].tensors()) {
      const auto data = joined->find_tensor(tensor.name)->data();
      EXPECT_EQ(data.size(), tensor.bytes.value);
      EXPECT_GE(data.data(), span.data());
      EXPECT_LE(data.data() + data.size(), span.data() + span.size());
    }
  }
  if (model) {
    EXPECT_LE(weight_bytes(*model), Bytes(size));
  } else {
    EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
    EXPECT_TRUE(model.error().where.starts_with("hostile.gguf")) << model.error().where;
    EXPECT_FALSE(model.error().what.empty());
    EXPECT_EQ(to_line(model.error()).find('\n'), std::string::npos);
  }
  return model;
}

Result<Model> read(const std::string& bytes) { return read(std::vector<std::string>{bytes}); }

TEST(HostileGguf, TheFileItselfIsValid) {
  const auto model = read(valid_file());
  ASSERT_TRUE(model) << to_line(model.error());
  EXPECT_EQ(model->name, "tiny");
}

TEST(HostileGguf, EveryTruncationIsAnError) {
  const std::string& file = valid_file();
  for (std::size_t length = 0; length < file.size(); ++length) {
    // A string of exactly that length, so that a sanitizer sees a read past its end.
    const auto model = read(std::string(file.data(), length));
    ASSERT_FALSE(model) << "truncated to " << length << " of " << file.size();
  }
}

TEST(HostileGguf, AnySingleByteMayBeAnyValue) {
  std::string file = valid_file();
  const std::size_t header = file.find("rope_freqs.weight") + 64;
  for (std::size_t i = 0; i < header; ++i) {
    const char original = file[i];
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF, original ^ 1, original ^ 0x20}) {
      file[i] = static_cast<char>(value);
      read(file);
    }
    file[i] = original;
  }
}

RC_GTEST_PROP(HostileGguf, FlippedBits, ()) {
  std::string file = valid_file();
  const auto flips =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, file.size() * 8));
  for (const std::size_t bit : flips) file[bit / 8] = static_cast<char>(file[bit / 8] ^ (1 << bit % 8));
  read(file);
}

RC_GTEST_PROP(HostileGguf, OverwrittenNumbers, ()) {
  std::string file = valid_file();
  const auto at = *rc::gen::inRange<std::size_t>(4, file.size() - 8);
  const auto number = *rc::gen::element<std::uint64_t>(0, 1, 1ull << 31, 1ull << 32, 1ull << 61, 1ull << 63,
                                                       ~0ull, ~31ull, ~0ull - 7);
  for (int i = 0; i < 8; ++i)
    file[at + static_cast<std::size_t>(i)] = static_cast<char>(number >> (8 * i) & 0xFF);
  read(file);
}

RC_GTEST_PROP(HostileGguf, AnythingAfterTheHeader, (const std::vector<std::uint8_t>& garbage)) {
  std::string file = valid_file().substr(0, 24);
  file.append(garbage.begin(), garbage.end());
  RC_ASSERT(!read(file));
}

TEST(HostileGguf, EveryTruncationOfAPartIsAnError) {
  const std::vector<std::string> whole = testing::split_gguf_of(small_model(), 2);
  ASSERT_TRUE(read(whole)) << to_line(read(whole).error());
  for (std::size_t part = 0; part < whole.size(); ++part) {
    const auto file = GgufFile::parse(std::as_bytes(std::span(whole[part])), "whole.gguf");
    const GgufTensor& last = file->tensors().back();  // the padding behind it is nothing to miss
    for (std::size_t length = 0; length < last.offset + last.bytes.value; ++length) {
      std::vector<std::string> files = whole;
      files[part] = std::string(whole[part].data(), length);
      ASSERT_FALSE(read(files)) << "part " << part << " truncated to " << length;
    }
  }
}

RC_GTEST_PROP(HostileGguf, FlippedBitsOfParts, ()) {
  std::vector<std::string> files = testing::split_gguf_of(small_model(), 2);
  for (std::string& file : files) {
    // The header is what there is to break.
    const auto flips =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 1500 * 8));
    for (const std::size_t bit : flips) file[bit / 8] = static_cast<char>(file[bit / 8] ^ (1 << bit % 8));
  }
  read(files);
}

}  // namespace
}  // namespace spanker
