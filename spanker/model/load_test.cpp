#include "spanker/model/load.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "spanker/model/gguf_files_for_test.hpp"
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
  const auto loaded = load_model(write("m.gguf", testing::gguf_of(model)), std::nullopt);
  ASSERT_TRUE(loaded) << to_line(loaded.error());
  EXPECT_EQ(loaded->name, "in a file");
  EXPECT_EQ(loaded->shape, shape);
  EXPECT_EQ(named_tensors(*loaded), named_tensors(model));
}

TEST_F(LoadModel, ReadsAConfigJsonByItsPathOrItsFolder) {
  std::filesystem::create_directory(path("tiny"));
  const std::string text = R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64,
    "intermediate_size": 96, "num_attention_heads": 4, "vocab_size": 100, "max_position_embeddings": 128})";
  const std::string file = write("tiny/config.json", text);
  const std::string renamed = write("other.json", text);
  for (const std::string& name : {file, path("tiny"), path("tiny/"), renamed}) {
    const auto model = load_model(name, std::nullopt);
    ASSERT_TRUE(model) << to_line(model.error());
    EXPECT_EQ(model->shape.hidden_size, 64u);
    EXPECT_EQ(model->layers[0].query.type, TensorType::kQ4_0);
  }
  EXPECT_EQ(load_model(file, std::nullopt)->name, "tiny");
  EXPECT_EQ(load_model(path("tiny/"), TensorType::kQ8_0)->layers[0].query.type, TensorType::kQ8_0);
  EXPECT_FALSE(load_model(file, TensorType::kI8));
  // A folder that is called like a file is a folder.
  std::filesystem::rename(path("tiny"), path("tiny.json"));
  EXPECT_EQ(load_model(path("tiny.json"), std::nullopt)->name, "tiny.json");
}

TEST_F(LoadModel, AConfigJsonThatIsNoTextOrTooLong) {
  const auto bytes = load_model(write("x.json", "{\"\xFF\": 1}"), std::nullopt);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(to_line(bytes.error()),
            path("x.json") + ": not a text file, wanted valid UTF-8, got other bytes");
  const auto large = load_model(write("x.json", std::string((1 << 20) + 1, ' ')), std::nullopt);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(to_line(large.error()),
            path("x.json") + ": file too large, wanted at most 1048576 bytes, got 1048577 bytes");
}

TEST_F(LoadModel, ReadsASplitGguf) {
  const ModelShape shape{Architecture::kLlama, 2, 64, 96, 4, 2, 16, 100, 128, 1e-5, 10000, true};
  const Model model = make_model("in parts", shape, TensorType::kQ8_0).value();
  const auto parts = testing::split_gguf_of(model, 2);
  write("m-00001-of-00002.gguf", parts[0]);
  write("m-00002-of-00002.gguf", parts[1]);
  const auto loaded = load_model(path("m-00001-of-00002.gguf"), std::nullopt);
  ASSERT_TRUE(loaded) << to_line(loaded.error());
  EXPECT_EQ(named_tensors(*loaded), named_tensors(model));
}

TEST_F(LoadModel, AMissingFileIsIo) {
  for (const std::string& name : {path("absent.gguf"), path("absent"), std::string("absent.gguf"),
                                  path("absent.json"), std::string("config.json")}) {
    const auto model = load_model(name, std::nullopt);
    ASSERT_FALSE(model) << name;
    EXPECT_EQ(model.error().kind, ErrorKind::kIo);
    EXPECT_NE(to_line(model.error()).find(name), std::string::npos);
  }
}

TEST_F(LoadModel, ADirectoryWithoutAConfigJsonIsIo) {
  const auto model = load_model(path(""), std::nullopt);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kIo);
  EXPECT_EQ(to_line(model.error()), path("config.json") + ": cannot open: No such file or directory");
  std::filesystem::create_directory(path("config.json"));
  const auto nested = load_model(path(""), std::nullopt);
  ASSERT_FALSE(nested);
  EXPECT_EQ(to_line(nested.error()),
            path("config.json") + ": cannot be read, wanted a regular file, got a directory");
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
