#include "spanker/model/gguf_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <utility>

namespace spanker {
namespace {

constexpr std::string_view kNo = "split.no";
constexpr std::string_view kCount = "split.count";
constexpr std::string_view kTensors = "split.tensors.count";

std::string at(const GgufFile& file, std::string_view key) { return fmt::format("{}: {}", file.name(), key); }

/// What a file says of the whole that it is a part of.
struct Split {
  std::uint64_t no = 0;
  std::uint64_t count = 1;
  std::uint64_t tensors = 0;
};

Result<Split> read_split(const GgufFile& file) {
  Split split;
  if (file.find(kCount) != nullptr) {
    const auto count = file.uint32(kCount);
    if (!count) return tl::unexpected(count.error());
    if (*count > 1) split.count = *count;
  }
  if (split.count == 1) {
    split.tensors = file.tensors().size();
    return split;
  }
  const auto no = file.uint32(kNo);
  if (!no) return tl::unexpected(no.error());
  const auto tensors = file.uint32(kTensors);
  if (!tensors) return tl::unexpected(tensors.error());
  split.no = *no;
  split.tensors = *tensors;
  if (split.no >= split.count) {
    return bad_input(at(file, kNo), "no part of the model", fmt::format("0 to {}", split.count - 1),
                     std::to_string(split.no));
  }
  return split;
}

std::string part_path(std::string_view prefix, std::uint64_t no, std::uint64_t count) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix, no + 1, count);
}

/// Of a part's path, what comes before "-00001-of-00003.gguf".
Result<std::string> prefix_of(const std::string& path, const Split& split) {
  const std::size_t suffix = part_path("", split.no, split.count).size();
  const std::string prefix = path.substr(0, path.size() - std::min(suffix, path.size()));
  if (part_path(prefix, split.no, split.count) != path) {
    return bad_input(path, "name does not say which part it is", part_path("PREFIX", split.no, split.count),
                     fmt::format("\"{}\"", std::filesystem::path(path).filename().string()));
  }
  return prefix;
}

}  // namespace

Result<GgufFiles> GgufFiles::open(const std::string& path) {
  std::vector<MappedFile> mapped;
  std::vector<GgufFile> parts;
  const auto add = [&](const std::string& name) -> Result<void> {
    auto file = MappedFile::open(name);
    if (!file) return tl::unexpected(file.error());
    auto part = GgufFile::parse(file->bytes(), name);
    if (!part) return tl::unexpected(part.error());
    mapped.push_back(std::move(*file));
    parts.push_back(std::move(*part));
    return {};
  };
  if (auto added = add(path); !added) return tl::unexpected(added.error());
  const auto split = read_split(parts.front());
  if (!split) return tl::unexpected(split.error());
  if (split->count > 1) {
    const auto prefix = prefix_of(path, *split);
    if (!prefix) return tl::unexpected(prefix.error());
    mapped.clear();
    parts.clear();
    // However many parts the file speaks of: the first that is missing ends it.
    for (std::uint64_t no = 0; no < split->count; ++no) {
      if (auto added = add(part_path(*prefix, no, split->count)); !added) {
        Error error = added.error();
        error.what = fmt::format("part {} of {}: {}", no + 1, split->count, error.what);
        return tl::unexpected(error);
      }
    }
  }
  auto files = join(std::move(parts));
  if (files) files->mapped_ = std::move(mapped);
  return files;
}

Result<GgufFiles> GgufFiles::join(std::vector<GgufFile> parts) {
  GgufFiles files(std::move(parts));
  std::uint64_t tensors = 0;
  std::uint64_t wanted_tensors = 0;
  for (std::size_t i = 0; i < files.parts_.size(); ++i) {
    const GgufFile& part = files.parts_[i];
    const auto split = read_split(part);
    if (!split) return tl::unexpected(split.error());
    if (split->count != files.parts_.size()) {
      return bad_input(at(part, kCount), "parts disagree on their number",
                       std::to_string(files.parts_.size()), std::to_string(split->count));
    }
    if (split->no != i) {
      return bad_input(at(part, kNo), "another part than its name says", std::to_string(i),
                       std::to_string(split->no));
    }
    if (i == 0) wanted_tensors = split->tensors;
    if (split->tensors != wanted_tensors) {
      return bad_input(at(part, kTensors), "differs from the first part's", std::to_string(wanted_tensors),
                       std::to_string(split->tensors));
    }
    tensors += part.tensors().size();
    for (const GgufTensor& tensor : part.tensors()) {
      const auto [other, is_new] = files.tensors_.try_emplace(tensor.name, PlacedTensor{&part, &tensor});
      if (!is_new) {
        return bad_input(at(part, fmt::format("tensor {}", tensor.name)), "tensor stands in two parts",
                         "parts of one model", fmt::format("it in {} too", other->second.file->name()));
      }
    }
  }
  if (tensors != wanted_tensors) {
    return bad_input(at(files.metadata(), kTensors), "parts hold another number of tensors",
                     std::to_string(wanted_tensors), std::to_string(tensors));
  }
  return files;
}

const PlacedTensor* GgufFiles::find_tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

void GgufFiles::release(std::span<const std::byte> part) const {
  for (const MappedFile& file : mapped_) file.release(part);
}

}  // namespace spanker
