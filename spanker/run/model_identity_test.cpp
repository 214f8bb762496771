#include "spanker/run/model_identity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "spanker/model/gguf_files_for_test.hpp"
#include "spanker/run/model_files_for_test.hpp"

namespace spanker {
namespace {

using namespace testing;

Model small_model(const std::string& name = "small", TensorType type = TensorType::kQ8_0) {
  const ModelShape shape{Architecture::kLlama, 2, 64, 96, 4, 2, 16, 320, 128, 1e-5, 10000, false};
  return must_be(make_model(name, shape, type));
}

std::string identity_of(const std::string& bytes) {
  return model_identity(must_be(one_gguf(std::as_bytes(std::span(bytes)), "m.gguf")));
}

TEST(ModelIdentity, SixteenDigits) {
  const std::string identity = identity_of(random_gguf(small_model(), 1));
  EXPECT_EQ(identity.size(), 16u);
  EXPECT_EQ(identity.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(ModelIdentity, ACopyIsTheSameWhereverItLies) {
  const Folder folder;
  const std::string bytes = random_gguf(small_model(), 1);
  const GgufFiles one = must_be(GgufFiles::open(folder.write("one.gguf", bytes)));
  const GgufFiles other = must_be(GgufFiles::open(folder.write("other.gguf", bytes)));
  EXPECT_EQ(model_identity(one), model_identity(other));
  EXPECT_EQ(model_identity(one), identity_of(bytes));
}

TEST(ModelIdentity, OtherModelsAreOthers) {
  const std::set<std::string> all = {
      identity_of(random_gguf(small_model(), 1)), identity_of(random_gguf(small_model(), 2)),
      identity_of(random_gguf(small_model("another"), 1)),
      identity_of(random_gguf(small_model("small", TensorType::kF32), 1)),
      identity_of(random_gguf(small_model(), 1, [](GgufWriter& writer) { writer.put_uint32("x", 1); }))};
  EXPECT_EQ(all.size(), 5u);
}

// A file that was fetched anew, in part: the same header, other weights here and there.
TEST(ModelIdentity, OneByteAtTheStartInTheMiddleOrAtTheEndOfAnyTensor) {
  std::string bytes = random_gguf(small_model(), 1);
  const std::string identity = identity_of(bytes);
  const GgufFile file = must_be(GgufFile::parse(std::as_bytes(std::span(bytes)), "m.gguf"));
  for (const GgufTensor& tensor : file.tensors()) {
    for (const std::uint64_t at : {std::uint64_t{0}, tensor.bytes.value / 2, tensor.bytes.value - 1}) {
      char& byte = bytes[tensor.offset + at];
      byte = static_cast<char>(byte ^ 1);
      EXPECT_NE(identity_of(bytes), identity) << tensor.name << ", byte " << at;
      byte = static_cast<char>(byte ^ 1);
    }
  }
  EXPECT_EQ(identity_of(bytes), identity);
}

TEST(ModelIdentity, OfPartsAllCount) {
  const std::vector<std::string> parts = split_gguf_of(small_model(), 3);
  const auto of = [](const std::vector<std::string>& contents) {
    std::vector<GgufFile> files;
    for (const std::string& bytes : contents) {
      files.push_back(must_be(GgufFile::parse(std::as_bytes(std::span(bytes)), "part")));
    }
    return model_identity(must_be(GgufFiles::join(std::move(files))));
  };
  const std::string identity = of(parts);
  EXPECT_EQ(of(parts), identity);
  EXPECT_NE(of(split_gguf_of(small_model(), 2)), identity);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::vector<std::string> changed = parts;
    const GgufFile file = must_be(GgufFile::parse(std::as_bytes(std::span(parts[i])), "part"));
    const GgufTensor& last = file.tensors().back();
    changed[i][last.offset + last.bytes.value - 1] ^= 1;
    EXPECT_NE(of(changed), identity) << "part " << i;
  }
}

}  // namespace
}  // namespace spanker
