#include "spanker/base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spanker/base/file_size_limit_for_test.hpp"
#include "spanker/base/folder_for_test.hpp"

namespace spanker {
namespace {

namespace fs = std::filesystem;

class File : public testing::FolderTest {
 protected:
  std::string fifo(std::string_view name) const {
    EXPECT_EQ(::mkfifo(path(name).c_str(), 0600), 0);
    return path(name);
  }
};

template <class T>
void expect_error(const Result<T>& result, ErrorKind kind, const std::string& path, std::string_view part) {
  ASSERT_FALSE(result) << path;
  EXPECT_EQ(result.error().kind, kind) << path;
  EXPECT_EQ(result.error().where, path);
  EXPECT_NE(to_line(result.error()).find(part), std::string::npos) << to_line(result.error());
}

using ReadTextFile = File;

TEST_F(ReadTextFile, ReadsItWhole) {
  const std::string text = "a = \"\u00e4\"\r\n\n" + std::string(100'000, 'x');
  EXPECT_EQ(read_text_file(write("a.toml", text), 1 << 20).value(), text);
  EXPECT_EQ(read_text_file(write("empty", ""), 0).value(), "");
}

TEST_F(ReadTextFile, RefusesOneThatIsTooLong) {
  const std::string name = write("long", "12345");
  EXPECT_TRUE(read_text_file(name, 5));
  expect_error(read_text_file(name, 4), ErrorKind::kBadInput, name,
               "too large, wanted at most 4 bytes, got 5 bytes");
}

TEST_F(ReadTextFile, RefusesWhatIsNotText) {
  const std::string name = write("binary", "GGUF\x03\xff");
  expect_error(read_text_file(name, 100), ErrorKind::kBadInput, name, "wanted valid UTF-8");
}

TEST_F(ReadTextFile, FailsWhereThereIsNoFile) {
  expect_error(read_text_file(path("none"), 100), ErrorKind::kIo, path("none"), "cannot open: No such file");
  const std::string name = write("file", "x") + "/child";
  expect_error(read_text_file(name, 100), ErrorKind::kIo, name, "cannot open: Not a directory");
}

TEST_F(ReadTextFile, FailsOnADirectory) {
  fs::create_directory(path("folder"));
  expect_error(read_text_file(path("folder"), 100), ErrorKind::kIo, path("folder"),
               "wanted a regular file, got a directory");
}

TEST_F(ReadTextFile, DoesNotWaitForThePeerOfAPipe) {
  const std::string name = fifo("pipe");
  expect_error(read_text_file(name, 100), ErrorKind::kIo, name,
               "wanted a regular file, got a pipe or device");
}

using WriteFileAtomically = File;

TEST_F(WriteFileAtomically, WritesANewFileAndReplacesAnOldOne) {
  const std::string name = path("plan.json");
  ASSERT_TRUE(write_file_atomically(name, "first"));
  EXPECT_EQ(folder_.content(name), "first");
  const std::string long_content(3'000'000, 'y');
  ASSERT_TRUE(write_file_atomically(name, long_content));
  EXPECT_EQ(folder_.content(name), long_content);
  ASSERT_TRUE(write_file_atomically(name, std::string_view("\0\xff", 2)));
  EXPECT_EQ(folder_.content(name), std::string("\0\xff", 2));
  ASSERT_TRUE(write_file_atomically(name, ""));
  EXPECT_EQ(folder_.content(name), "");
  EXPECT_EQ(folder_.entries(), 1u);
}

TEST_F(WriteFileAtomically, AReaderOfTheOldFileKeepsIt) {
  const std::string name = write("plan.json", "old");
  std::ifstream reader(name);
  ASSERT_TRUE(write_file_atomically(name, "new"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(reader), {}), "old");
}

TEST_F(WriteFileAtomically, HasTheModeOfAnyNewFile) {
  const mode_t before = ::umask(027);
  const auto written = write_file_atomically(path("plan.json"), "x");
  const mode_t during = ::umask(before);
  ASSERT_TRUE(written);
  EXPECT_EQ(during, 027u) << "the umask is as it was";
  struct stat status {};
  ASSERT_EQ(::stat(path("plan.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0640u);
}

TEST_F(WriteFileAtomically, FailsWhereThereIsNoFolder) {
  const std::string name = path("none/plan.json");
  expect_error(write_file_atomically(name, "x"), ErrorKind::kIo, name,
               "cannot create a file beside it: No such file");
  EXPECT_EQ(folder_.entries(), 0u);
}

TEST_F(WriteFileAtomically, ReplacesNeitherAFolderNorADevice) {
  fs::create_directory(path("folder"));
  expect_error(write_file_atomically(path("folder"), "x"), ErrorKind::kIo, path("folder"),
               "cannot be written, wanted a regular file, got a directory");
  const std::string name = fifo("pipe");
  expect_error(write_file_atomically(name, "x"), ErrorKind::kIo, name,
               "cannot be written, wanted a regular file, got a pipe or device");
  EXPECT_TRUE(fs::is_fifo(name));
  EXPECT_EQ(folder_.entries(), 2u);
}

TEST_F(WriteFileAtomically, KeepsTheOldFileWhereTheDiskIsFull) {
  const std::string name = write("plan.json", "old");
  Result<void> written;
  {
    const testing::FileSizeLimit limit(4096);
    written = write_file_atomically(name, std::string(10'000, 'x'));
  }
  expect_error(written, ErrorKind::kIo, name, "cannot write: File too large");
  EXPECT_EQ(folder_.content(name), "old");
  EXPECT_EQ(folder_.entries(), 1u) << "the temporary file is gone";
}

using AtomicFile = File;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST_F(AtomicFile, AppearsWholeAtTheCommit) {
  const std::string name = write("model.gguf", "old");
  auto writer = AtomicFileWriter::create(name);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->reserve(Bytes(8)));
  ASSERT_TRUE(writer->write(bytes_of("GGUF")));
  EXPECT_EQ(folder_.content(name), "old");
  ASSERT_TRUE(writer->write(bytes_of("")));
  AtomicFileWriter moved = std::move(*writer);
  ASSERT_TRUE(moved.write(bytes_of("data")));
  EXPECT_EQ(folder_.content(name), "old");
  EXPECT_EQ(folder_.entries(), 2u);
  ASSERT_TRUE(moved.commit());
  EXPECT_EQ(folder_.content(name), "GGUFdata");
  EXPECT_EQ(folder_.entries(), 1u);
}

TEST_F(AtomicFile, LeavesNothingWithoutACommit) {
  const std::string name = path("model.gguf");
  {
    auto writer = AtomicFileWriter::create(name);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->write(bytes_of("half")));
    EXPECT_EQ(folder_.entries(), 1u);
  }
  EXPECT_EQ(folder_.entries(), 0u);
}

TEST_F(AtomicFile, TellsAtOnceThatTheDiskIsTooSmall) {
  const std::string name = write("model.gguf", "old");
  {
    const testing::FileSizeLimit limit(1 << 20);
    auto writer = AtomicFileWriter::create(name);
    ASSERT_TRUE(writer);
    EXPECT_TRUE(writer->reserve(Bytes(1 << 20)));
    expect_error(writer->reserve(Bytes(1 << 22)), ErrorKind::kIo, name,
                 "cannot reserve 4.194 MB: File too large");
  }
  EXPECT_EQ(folder_.content(name), "old");
  EXPECT_EQ(folder_.entries(), 1u);
}

TEST_F(AtomicFile, FailsWhereItsTemporaryFileIsTaken) {
  const std::string name = path("model.gguf");
  auto writer = AtomicFileWriter::create(name);
  ASSERT_TRUE(writer);
  fs::remove(fs::directory_iterator(fs::path(name).parent_path())->path());
  expect_error(writer->commit(), ErrorKind::kIo, name, "cannot write: No such file");
}

TEST_F(AtomicFile, NeedsAName) {
  expect_error(AtomicFileWriter::create(""), ErrorKind::kIo, "output",
               "wanted the path of a file, got an empty one");
}

using Mapped = File;

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST_F(Mapped, HoldsTheBytesOfTheFile) {
  const std::string bytes("GGUF\0\xff", 6);
  const auto mapped = MappedFile::open(write("a.gguf", bytes));
  ASSERT_TRUE(mapped);
  EXPECT_EQ(text_of(*mapped), bytes);
}

TEST_F(Mapped, AnEmptyFileHasNoBytes) {
  const auto mapped = MappedFile::open(write("empty", ""));
  ASSERT_TRUE(mapped);
  EXPECT_TRUE(mapped->bytes().empty());
}

TEST_F(Mapped, Moves) {
  auto first = MappedFile::open(write("a", "aaaa"));
  auto second = MappedFile::open(write("b", "bb"));
  ASSERT_TRUE(first && second);
  MappedFile moved = std::move(*first);
  EXPECT_EQ(text_of(moved), "aaaa");
  EXPECT_TRUE(first->bytes().empty());
  moved = std::move(*second);
  EXPECT_EQ(text_of(moved), "bb");
}

TEST_F(Mapped, OutlivesTheName) {
  const std::string name = write("a", "aaaa");
  const auto mapped = MappedFile::open(name);
  ASSERT_TRUE(mapped);
  fs::remove(name);
  EXPECT_EQ(text_of(*mapped), "aaaa");
}

TEST_F(Mapped, WhatIsReleasedIsReadAgain) {
  std::string bytes;
  for (int i = 0; i < 50'000; ++i) bytes.push_back(static_cast<char>(i % 251));
  const auto mapped = MappedFile::open(write("a", bytes));
  ASSERT_TRUE(mapped);
  EXPECT_EQ(text_of(*mapped), bytes);
  for (const std::size_t size : {0u, 1u, 5'000u, 20'000u, 50'000u}) {
    mapped->release(mapped->bytes().first(size));
    mapped->release(mapped->bytes().last(size));
    EXPECT_EQ(text_of(*mapped), bytes);
  }
}

TEST_F(Mapped, ReleasesNothingThatIsNotItsOwn) {
  const auto mapped = MappedFile::open(write("a", "aaaa"));
  ASSERT_TRUE(mapped);
  const std::vector<std::byte> others(50'000, std::byte{7});
  mapped->release(others);
  EXPECT_EQ(std::ranges::count(others, std::byte{7}), 50'000);
}

TEST_F(Mapped, FailsOnWhatIsNoRegularFile) {
  expect_error(MappedFile::open(path("none")), ErrorKind::kIo, path("none"), "cannot open: No such file");
  fs::create_directory(path("folder"));
  expect_error(MappedFile::open(path("folder")), ErrorKind::kIo, path("folder"), "got a directory");
  const std::string name = fifo("pipe");
  expect_error(MappedFile::open(name), ErrorKind::kIo, name, "got a pipe or device");
}

}  // namespace
}  // namespace spanker
