#include "spanker/kernels/isa.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace spanker {
namespace {

bool is_supported(Isa isa) { return std::ranges::find(supported_isas(), isa) != supported_isas().end(); }

TEST(Isa, IsWhatTheSystemSaysOfTheProcessor) {
  ASSERT_FALSE(supported_isas().empty());
  EXPECT_EQ(supported_isas().front(), Isa::kScalar);
  EXPECT_EQ(supported_isas().back(), best_isa());

#if defined(__aarch64__)
  constexpr const char* kLine = "Features";
#else
  constexpr const char* kLine = "flags";
#endif
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line) && !line.starts_with(kLine)) {
  }
  if (!file) GTEST_SKIP() << "the system does not say, or a processor is emulated, of which it knows nothing";
  std::istringstream words(line);
  std::set<std::string> flags;
  for (std::string word; words >> word;) flags.insert(word);
  const auto has_all = [&](std::initializer_list<const char*> names) {
    return std::ranges::all_of(names, [&](const char* name) { return flags.contains(name); });
  };
  EXPECT_EQ(is_supported(Isa::kAvx2), has_all({"avx2", "fma", "f16c"}));
  EXPECT_EQ(is_supported(Isa::kAvx512Vnni),
            has_all({"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"}));
  EXPECT_EQ(is_supported(Isa::kNeon), has_all({"asimd"}));
  EXPECT_EQ(is_supported(Isa::kNeonDotprod), has_all({"asimd", "asimddp"}));
}

TEST(Isa, HasAName) {
  EXPECT_EQ(to_string(Isa::kScalar), "scalar");
  EXPECT_EQ(to_string(Isa::kAvx2), "avx2");
  EXPECT_EQ(to_string(Isa::kAvx512Vnni), "avx512_vnni");
  EXPECT_EQ(to_string(Isa::kNeon), "neon");
  EXPECT_EQ(to_string(Isa::kNeonDotprod), "neon_dotprod");
}

}  // namespace
}  // namespace spanker
