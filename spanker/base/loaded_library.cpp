#include "spanker/base/loaded_library.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace spanker {
namespace {

namespace fs = std::filesystem;

fs::path find(const LoadedLibrary& library) {
  std::error_code error;
  fs::path folder = fs::read_symlink("/proc/self/exe", error);
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    fs::path candidate = folder / library.path;
    if (fs::exists(candidate, error)) return candidate;
  }
  return library.installed;
}

}  // namespace

Result<void*> load_entry(const LoadedLibrary& library, const char* entry) {
  const fs::path path = find(library);
  const std::string what(library.what);
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return io_failure(path, "cannot load " + what, {}, ::dlerror());
  void* address = ::dlsym(handle, entry);
  if (address == nullptr) return io_failure(path, "is not " + what, entry, ::dlerror());
  return address;
}

}  // namespace spanker
