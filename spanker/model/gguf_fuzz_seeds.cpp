// gguf_fuzz_seeds FOLDER: writes the inputs that gguf_fuzz starts from, small models as they should be: of
// each kind, in one file and in two parts one behind the other.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "spanker/model/gguf_files_for_test.hpp"
#include "spanker/model/preset.hpp"

namespace {

using namespace spanker;

struct Kind {
  const char* name;
  Architecture architecture;
  std::uint32_t experts;
};

constexpr Kind kKinds[] = {{"llama", Architecture::kLlama, 0},
                           {"mixtral", Architecture::kLlama, 2},
                           {"qwen2", Architecture::kQwen2, 0},
                           {"qwen3", Architecture::kQwen3, 0},
                           {"qwen3moe", Architecture::kQwen3Moe, 2}};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: gguf_fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const auto write = [&](const std::string& name, const std::string& bytes) {
    return static_cast<bool>(std::ofstream(folder / name, std::ios::binary) << bytes << std::flush);
  };
  for (const Kind& kind : kKinds) {
    const ModelShape shape{
        kind.architecture,         1, 32, 32, 2, 1, 16, 8, 8, 1e-6, 1e6, false, kind.experts,
        std::min(kind.experts, 1u)};
    const auto model = make_model(kind.name, shape, TensorType::kQ4_0);
    if (!model) return 1;
    const auto parts = testing::split_gguf_of(*model, 2);
    if (!write(kind.name, testing::gguf_of(*model)) ||
        !write(std::string(kind.name) + "_split", parts[0] + parts[1])) {
      std::fputs("gguf_fuzz_seeds: cannot write\n", stderr);
      return 1;
    }
  }
}
