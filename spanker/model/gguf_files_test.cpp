#include "spanker/model/gguf_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "spanker/base/folder_for_test.hpp"
#include "spanker/model/gguf_files_for_test.hpp"
#include "spanker/model/gguf_model.hpp"
#include "spanker/model/preset.hpp"

namespace spanker {
namespace {

namespace fs = std::filesystem;

Model small_model() {
  const ModelShape shape{Architecture::kLlama, 2, 64, 96, 4, 2, 32, 100, 128, 1e-5, 10000, true, 4, 2};
  return make_model("split", shape, TensorType::kQ4_0).value();
}

class GgufFilesTest : public testing::FolderTest {
 protected:
  void SetUp() override { write_parts(small_model(), 3); }
  std::string part(int number) const { return path("m-0000" + std::to_string(number) + "-of-00003.gguf"); }
  void write_parts(const Model& model, std::uint32_t count) const {
    const auto parts = testing::split_gguf_of(model, count);
    for (std::uint32_t i = 0; i < count; ++i) {
      write(path("m-0000" + std::to_string(i + 1) + "-of-0000" + std::to_string(count) + ".gguf"), parts[i]);
    }
  }

  /// The line of the error that opening part 1 (or another) makes, without the folder.
  std::string error_line(int number = 1, ErrorKind kind = ErrorKind::kBadInput) const {
    return error_line(part(number), kind);
  }
  std::string error_line(const std::string& file, ErrorKind kind = ErrorKind::kBadInput) const {
    const auto model = GgufFiles::open(file).and_then(model_from_gguf);
    if (model) return "no error";
    EXPECT_EQ(model.error().kind, kind);
    std::string line = to_line(model.error());
    for (std::size_t at; (at = line.find(path(""))) != std::string::npos;) line.erase(at, path("").size());
    return line;
  }
};

TEST_F(GgufFilesTest, AnyPartGivesTheWholeModel) {
  for (const int number : {1, 2, 3}) {
    const auto files = GgufFiles::open(part(number));
    ASSERT_TRUE(files) << to_line(files.error());
    ASSERT_EQ(files->parts().size(), 3u);
    EXPECT_EQ(files->metadata().name(), part(1));
    const auto model = model_from_gguf(*files);
    ASSERT_TRUE(model) << to_line(model.error());
    EXPECT_EQ(model->name, "split");
    EXPECT_EQ(model->shape, small_model().shape);
    EXPECT_EQ(named_tensors(*model), named_tensors(small_model()));
  }
}

TEST_F(GgufFilesTest, TensorsLieInTheirParts) {
  std::string bytes = testing::split_gguf_of(small_model(), 3)[2];
  bytes.back() = '!';  // the last norm ends with its padding
  write(part(3), bytes);
  auto opened = GgufFiles::open(part(1));
  ASSERT_TRUE(opened);
  const GgufFiles files = std::move(*opened);
  const PlacedTensor* norm = files.find_tensor("output_norm.weight");
  ASSERT_NE(norm, nullptr);
  EXPECT_EQ(norm->file->name(), part(3));
  ASSERT_EQ(norm->data().size(), 256u);
  EXPECT_EQ(norm->data().back(), std::byte{'!'});
  EXPECT_EQ(files.find_tensor("token_embd.weight")->file->name(), part(1));
  EXPECT_EQ(files.find_tensor("output.weight"), nullptr);
}

TEST_F(GgufFilesTest, TheFirstPartMayHoldNoTensors) {
  GgufWriter first;
  put_keys(first, small_model());
  GgufWriter second;
  const auto tensors = named_tensors(small_model());
  for (const std::uint32_t no : {0u, 1u}) {
    GgufWriter& writer = no == 0 ? first : second;
    writer.put_uint32("split.no", no);
    writer.put_uint32("split.count", 2);
    writer.put_uint32("split.tensors.count", static_cast<std::uint32_t>(tensors.size()));
  }
  for (const NamedTensor& named : tensors) second.put_tensor(named.name, named.tensor);
  write(path("m-00001-of-00002.gguf"), testing::whole_file(first));
  write(path("m-00002-of-00002.gguf"), testing::whole_file(second));
  EXPECT_EQ(error_line(path("m-00001-of-00002.gguf")), "no error");
}

TEST_F(GgufFilesTest, AFileThatIsNoPartMayHaveAnyName) {
  for (const std::string name : {"whole.gguf", "whole-00001-of-00003.gguf"}) {
    write(path(name), testing::gguf_of(small_model()));
    const auto files = GgufFiles::open(path(name));
    ASSERT_TRUE(files) << to_line(files.error());
    EXPECT_EQ(files->parts().size(), 1u);
  }
}

TEST_F(GgufFilesTest, AMissingPartIsIo) {
  fs::remove(part(2));
  for (const int number : {1, 3}) {
    EXPECT_EQ(error_line(number, ErrorKind::kIo),
              "m-00002-of-00003.gguf: part 2 of 3: cannot open: No such file or directory");
  }
}

TEST_F(GgufFilesTest, PartsThatAreNoFilesAreIo) {
  fs::remove(part(2));
  fs::create_directory(part(2));
  EXPECT_EQ(error_line(1, ErrorKind::kIo),
            "m-00002-of-00003.gguf: part 2 of 3: cannot be read, wanted a regular file, got a directory");
  fs::remove(part(2));
  fs::create_symlink(part(2), part(2));
  EXPECT_EQ(error_line(1, ErrorKind::kIo),
            "m-00002-of-00003.gguf: part 2 of 3: cannot open: Too many levels of symbolic links");
}

TEST_F(GgufFilesTest, APartThatIsCutShort) {
  fs::resize_file(part(3), fs::file_size(part(3)) - 1);
  const std::string line = error_line();
  EXPECT_TRUE(
      line.starts_with("m-00003-of-00003.gguf: tensor output_norm.weight: part 3 of 3: file is cut short"))
      << line;
  fs::resize_file(part(3), 0);
  EXPECT_TRUE(error_line().starts_with("m-00003-of-00003.gguf: byte 0: part 3 of 3: ")) << error_line();
}

TEST_F(GgufFilesTest, ANameThatFitsNoPart) {
  for (const std::string name : {"m.gguf", "x", "m-00001-of-00004.gguf", "m-00002-of-00003.gguf",
                                 "m-1-of-3.gguf", "m-00001-of-00003.bin", "-0001-of-00003.gguf"}) {
    write(path(name), testing::split_gguf_of(small_model(), 3)[0]);
    EXPECT_EQ(error_line(path(name)), name +
                                          ": name does not say which part it is, wanted "
                                          "PREFIX-00001-of-00003.gguf, got \"" +
                                          name + "\"");
  }
}

TEST_F(GgufFilesTest, AnAbsurdNumberOfParts) {
  GgufWriter writer;
  writer.put_uint32("split.no", 0);
  writer.put_uint32("split.count", 4'294'967'295);
  writer.put_uint32("split.tensors.count", 1);
  write(part(1), testing::whole_file(writer));
  EXPECT_EQ(error_line(),
            "m-00001-of-00003.gguf: name does not say which part it is, wanted "
            "PREFIX-00001-of-4294967295.gguf, got \"m-00001-of-00003.gguf\"");
  const std::string absurd = "m-00001-of-4294967295.gguf";
  write(path(absurd), testing::whole_file(writer));
  EXPECT_EQ(error_line(path(absurd), ErrorKind::kIo),
            "m-00002-of-4294967295.gguf: part 2 of 4294967295: cannot open: No such file or directory");
}

TEST_F(GgufFilesTest, APartUnderTheNameOfAnother) {
  fs::copy_file(part(1), part(2), fs::copy_options::overwrite_existing);
  EXPECT_EQ(error_line(),
            "m-00002-of-00003.gguf: split.no: another part than its name says, wanted 1, got 0");
}

TEST_F(GgufFilesTest, PartsThatDisagree) {
  const auto other = [&](std::uint32_t no, std::uint32_t count, std::uint32_t tensors) {
    GgufWriter writer;
    writer.put_uint32("split.no", no);
    writer.put_uint32("split.count", count);
    writer.put_uint32("split.tensors.count", tensors);
    write(part(2), testing::whole_file(writer));
    return error_line();
  };
  const auto tensors = static_cast<std::uint32_t>(named_tensors(small_model()).size());
  EXPECT_EQ(other(1, 4, tensors),
            "m-00002-of-00003.gguf: split.count: parts disagree on their number, wanted 3, got 4");
  EXPECT_EQ(other(7, 3, tensors),
            "m-00002-of-00003.gguf: split.no: no part of the model, wanted 0 to 2, got 7");
  EXPECT_EQ(other(1, 3, tensors + 1),
            "m-00002-of-00003.gguf: split.tensors.count: differs from the first part's, wanted 22, got 23");
  EXPECT_EQ(
      other(1, 3, tensors),
      "m-00001-of-00003.gguf: split.tensors.count: parts hold another number of tensors, wanted 22, got 15");
  write(part(2), testing::gguf_of(small_model()));
  EXPECT_EQ(error_line(),
            "m-00002-of-00003.gguf: split.count: parts disagree on their number, wanted 3, got 1");
}

TEST_F(GgufFilesTest, APartOfAnotherModel) {
  write(part(3), testing::split_gguf_of(small_model(), 3)[1]);
  EXPECT_EQ(error_line(),
            "m-00003-of-00003.gguf: split.no: another part than its name says, wanted 2, got 1");

  GgufWriter writer;
  writer.put_uint32("split.no", 2);
  writer.put_uint32("split.count", 3);
  writer.put_uint32("split.tensors.count", 22);
  for (int i = 0; i < 7; ++i) writer.put_tensor("other." + std::to_string(i), {TensorType::kF32, 1, 1});
  writer.put_tensor("token_embd.weight", {TensorType::kF32, 1, 1});
  write(part(3), testing::whole_file(writer));
  EXPECT_EQ(error_line(),
            "m-00003-of-00003.gguf: tensor token_embd.weight: tensor stands in two parts, wanted parts of "
            "one model, "
            "got it in m-00001-of-00003.gguf too");
}

TEST_F(GgufFilesTest, SplitKeysOfAWrongType) {
  for (const std::string key : {"split.no", "split.count", "split.tensors.count"}) {
    GgufWriter writer;
    for (const std::string other : {"split.no", "split.count", "split.tensors.count"}) {
      if (other != key) writer.put_uint32(other, 3);
    }
    writer.put_string(key, "three");
    write(path("m.gguf"), testing::whole_file(writer));
    EXPECT_EQ(error_line(path("m.gguf")),
              "m.gguf: " + key + ": value of a wrong type, wanted an integer, got string");
  }
}

TEST_F(GgufFilesTest, KeysAreThoseOfTheFirstPart) {
  // The second part's own idea of the architecture does not count.
  const auto tensors = named_tensors(small_model());
  GgufWriter writer;
  writer.put_string("general.architecture", "other");
  writer.put_uint32("split.no", 1);
  writer.put_uint32("split.count", 3);
  writer.put_uint32("split.tensors.count", static_cast<std::uint32_t>(tensors.size()));
  for (std::size_t i = tensors.size() / 3; i < tensors.size() * 2 / 3; ++i) {
    writer.put_tensor(tensors[i].name, tensors[i].tensor);
  }
  write(part(2), testing::whole_file(writer));
  EXPECT_EQ(error_line(), "no error");
}

}  // namespace
}  // namespace spanker
