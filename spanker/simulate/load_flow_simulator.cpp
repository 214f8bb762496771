#include "spanker/simulate/load_flow_simulator.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace spanker {
namespace {

namespace fs = std::filesystem;

/// In the folder of the program or in one of those around it: so it is found in the build tree, and in every
/// place that both were installed to.
fs::path find_library() {
  std::error_code error;
  fs::path folder = fs::read_symlink("/proc/self/exe", error);
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    fs::path candidate = folder / SPANKER_FLOW_SIMULATOR;
    if (fs::exists(candidate, error)) return candidate;
  }
  return SPANKER_INSTALLED_FLOW_SIMULATOR;
}

Result<MakeFlowSimulator*> load() {
  const fs::path library = find_library();
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return io_failure(library, "cannot load the simulator", {}, ::dlerror());
  void* entry = ::dlsym(handle, kMakeFlowSimulator);
  if (entry == nullptr) return io_failure(library, "is not the simulator", kMakeFlowSimulator, ::dlerror());
  return reinterpret_cast<MakeFlowSimulator*>(entry);
}

}  // namespace

Result<MakeFlowSimulator*> load_flow_simulator() {
  static const Result<MakeFlowSimulator*> loaded = load();
  return loaded;
}

}  // namespace spanker
