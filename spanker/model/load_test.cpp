#include "spanker/model/load.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "spanker/model/gguf_writer.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/model/tensor_table.hpp"

namespace spanker {
namespace {

class LoadModel : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / (std::string("spanker_load_") + test->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(LoadModel, PresetsAreQ4_0UnlessAskedOtherwise) {
  const auto plain = load_model("llama-3.2-1b", std::nullopt);
  ASSERT_TRUE(plain) << to_line(plain.error());
  EXPECT_EQ(plain->name, "llama-3.2-1b");
  EXPECT_EQ(plain->layers[0].query.type, TensorType::kQ4_0);
  EXPECT_EQ(plain->layers[0].attention_norm.type, TensorType::kF32);
  const auto f16 = load_model("llama-3.2-1b", TensorType::kF16);
  ASSERT_TRUE(f16);
  EXPECT_EQ(f16->layers[0].query.type, TensorType::kF16);
}

TEST_F(LoadModel, ReadsAGgufFile) {
  const ModelShape shape{Architecture::kLlama, 2, 64, 96, 4, 2, 16, 100, 128, 1e-5, 10000, true};
  const Model model = make_model("in a file", shape, TensorType::kQ8_0).value();
  GgufWriter writer;
  put_model(writer, model);
  std::string bytes = writer.header();
  bytes.resize(writer.file_bytes());
  const auto loaded = load_model(write("m.gguf", bytes), std::nullopt);
  ASSERT_TRUE(loaded) << to_line(loaded.error());
  EXPECT_EQ(loaded->name, "in a file");
  EXPECT_EQ(loaded->shape, shape);
  EXPECT_EQ(named_tensors(*loaded), named_tensors(model));
}

TEST_F(LoadModel, AMissingFileIsIo) {
  for (const std::string& name : {path("absent.gguf"), path("absent"), std::string("absent.gguf")}) {
    const auto model = load_model(name, std::nullopt);
    ASSERT_FALSE(model) << name;
    EXPECT_EQ(model.error().kind, ErrorKind::kIo);
    EXPECT_NE(to_line(model.error()).find(name), std::string::npos);
  }
}

TEST_F(LoadModel, ADirectoryIsIo) {
  const auto model = load_model(path(""), std::nullopt);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kIo);
}

TEST_F(LoadModel, OtherBytesAreBadInput) {
  for (const std::string bytes : {"", "not a model at all", "GGUF"}) {
    const std::string file = write("x.gguf", bytes);
    const auto model = load_model(file, std::nullopt);
    ASSERT_FALSE(model) << bytes;
    EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
    EXPECT_TRUE(model.error().where.starts_with(file)) << model.error().where;
  }
}

TEST_F(LoadModel, AnUnknownNameListsPresetsAndSuggestsOne) {
  const auto model = load_model("tinylama-1.1b", std::nullopt);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(model.error().got, "\"tinylama-1.1b\" (did you mean \"tinyllama-1.1b\"?)");
  for (const Preset& preset : presets()) {
    EXPECT_NE(model.error().wanted.find(preset.name), std::string::npos) << preset.name;
  }
  const auto far = load_model("", std::nullopt);
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(far.error().got, "\"\"");
}

TEST_F(LoadModel, QuantWithAFileIsBadInput) {
  const auto model = load_model(path("absent.gguf"), TensorType::kQ8_0);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(model.error().where, "--quant");
  EXPECT_EQ(model.error().got, "q8_0");
}

TEST_F(LoadModel, AQuantThatDoesNotFitIsBadInput) {
  const auto model = load_model("qwen2.5-0.5b", TensorType::kQ4_K);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(model.error().where.find("token_embd.weight"), std::string::npos);
}

}  // namespace
}  // namespace spanker
