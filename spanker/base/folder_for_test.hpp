#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

namespace spanker::testing {

/// A temporary folder of its own, gone with the object. Files are read and written by the standard library.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "spanker_test_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }
  std::string path(std::string_view name) const { return (path_ / name).string(); }

  /// Returns the path of the file.
  std::string write(std::string_view name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  std::string content(std::string_view name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Files, folders and whatever else is in it.
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

/// Tests that have such a folder each.
class FolderTest : public ::testing::Test {
 protected:
  std::string path(std::string_view name) const { return folder_.path(name); }
  std::string write(std::string_view name, std::string_view content) const {
    return folder_.write(name, content);
  }

  const Folder folder_;
};

}  // namespace spanker::testing
