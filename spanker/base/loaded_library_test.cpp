#include "spanker/base/loaded_library.hpp"

#include <gtest/gtest.h>

#include <string>

#include "spanker/base/folder_for_test.hpp"

namespace spanker {
namespace {

class LoadedLibraryTest : public testing::FolderTest {
 protected:
  static Result<void*> load(const std::string& path, const char* entry = "entry") {
    return load_entry({"no/such/place/below/the/program.so", path, "the helper"}, entry);
  }
  static std::string line_of(const Result<void*>& loaded) {
    if (loaded) return "no error";
    EXPECT_EQ(loaded.error().kind, ErrorKind::kIo);
    return to_line(loaded.error());
  }
};

TEST_F(LoadedLibraryTest, NotThere) {
  const std::string missing = path("missing.so");
  EXPECT_TRUE(line_of(load(missing)).starts_with(missing + ": cannot load the helper, got "));
}

TEST_F(LoadedLibraryTest, NoLibrary) {
  for (const std::string& content : {std::string(),
                                     std::string("\x7f"
                                                 "ELF"),
                                     std::string(5000, 'x')}) {
    const std::string file = write("text.so", content);
    EXPECT_TRUE(line_of(load(file)).starts_with(file + ": cannot load the helper, got "));
  }
  EXPECT_TRUE(line_of(load(path(""))).starts_with(path("") + ": cannot load the helper, got "));
}

// The C library is at hand wherever this runs.
TEST_F(LoadedLibraryTest, AnotherLibrary) {
  EXPECT_TRUE(line_of(load("libc.so.6", "no_such_entry"))
                  .starts_with("libc.so.6: is not the helper, wanted no_such_entry, got "));
}

TEST_F(LoadedLibraryTest, TheEntryIsFound) {
  const auto entry = load("libc.so.6", "atoi");
  ASSERT_TRUE(entry) << to_line(entry.error());
  EXPECT_EQ(reinterpret_cast<int (*)(const char*)>(*entry)("42"), 42);
}

}  // namespace
}  // namespace spanker
