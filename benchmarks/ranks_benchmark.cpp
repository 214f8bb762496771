#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "spanker/kernels/read_bandwidth.hpp"
#include "spanker/run/model_file.hpp"

// How fast a model is decoded by cards in processes of their own, beside how fast two threads of this machine
// read memory in the same minute.

namespace spanker {
namespace {

constexpr int kRuns = 3;

struct Case {
  const char* name;
  const char* flags;
};

double two_threads_read() {
  const auto bandwidth = read_bandwidth(2, Bytes(std::uint64_t{512} << 20), 5);
  if (!bandwidth) std::exit(1);
  return bandwidth->value;
}

/// Of `spanker run --json`.
double tokens_per_second(const std::string& model, const Case& what) {
  const std::string command = fmt::format(
      "'{}' run '{}' {} --tokens 1,15043,29892,3186 --generate 65 --context 512 --ignore-eos --json",
      SPANKER_PROGRAM, model, what.flags);
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer;
  for (std::size_t got = 0;
       pipe != nullptr && (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), got);
  }
  const std::string key = "\n  \"tokens_per_second\": ";
  const std::size_t at = out.find(key);
  if (pipe == nullptr || ::pclose(pipe) != 0 || at == std::string::npos) std::exit(1);
  return std::atof(out.c_str() + at + key.size());
}

void run_case(const std::string& path, Bytes weights, const Case& what) {
  std::vector<double> rates;
  double bandwidth = two_threads_read();
  for (int run = 0; run < kRuns; ++run) {
    rates.push_back(tokens_per_second(path, what));
    bandwidth = std::max(bandwidth, two_threads_read());
  }
  std::ranges::sort(rates);
  const double median = rates[kRuns / 2];
  fmt::print("| {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} GB/s | {:.0f} % |\n", what.name, median, rates.front(),
             rates.back(), bandwidth / 1e9, 100 * median * static_cast<double>(weights.value) / bandwidth);
}

}  // namespace
}  // namespace spanker

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: ranks_benchmark MODEL.gguf\n");
    return 2;
  }
  const auto file = spanker::ModelFile::open(argv[1]);
  if (!file) {
    std::fprintf(stderr, "%s\n", spanker::to_line(file.error()).c_str());
    return 1;
  }
  const spanker::Bytes weights = decode_weight_bytes(file->model);
  const spanker::Case cases[] = {
      {"one process, two cards of one thread", "--cards 2 --strategy tensor --threads 2"},
      {"two ranks of one thread", "--ranks 2 --strategy tensor --threads 2"},
      {"four ranks of one thread", "--ranks 4 --strategy tensor --threads 4"},
  };
  fmt::print(
      "| cards | tokens/s | least | most | two threads read | weights read at "
      "|\n|---|---|---|---|---|---|\n");
  for (const spanker::Case& each : cases) spanker::run_case(argv[1], weights, each);
}
