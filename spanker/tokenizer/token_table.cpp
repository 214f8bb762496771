#include "spanker/tokenizer/token_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "spanker/base/text.hpp"

namespace spanker {
namespace {

Result<void> check_size(const GgufFiles& files, const TokenTable& table) {
  const std::size_t size = table.names.size();
  constexpr std::size_t kMost = std::numeric_limits<std::int32_t>::max();
  if (size == 0 || size > kMost) {
    return bad_input(at_key(table, "tokens"), "not a usable vocabulary", fmt::format("1 to {} tokens", kMost),
                     std::to_string(size));
  }
  const PlacedTensor* embedding = files.find_tensor("token_embd.weight");
  if (embedding != nullptr) {
    const auto& dimensions = embedding->tensor->dimensions;
    const std::uint64_t rows = dimensions.size() > 1 ? dimensions[1] : 1;
    if (rows != size) {
      return bad_input(at_key(table, "tokens"), "not one token for each row of token_embd.weight",
                       std::to_string(rows), std::to_string(size));
    }
  }
  return {};
}

Result<void> check_names(const TokenTable& table) {
  std::vector<std::uint32_t> by_name(table.names.size());
  std::iota(by_name.begin(), by_name.end(), 0u);
  std::ranges::sort(by_name, {}, [&](std::uint32_t id) {
    return std::pair<std::string_view, std::uint32_t>(table.names[id], id);
  });
  if (table.names[by_name.front()].empty())
    return bad_input(at_token(table, by_name.front()), "token is empty");
  for (std::size_t i = 1; i < by_name.size(); ++i) {
    if (table.names[by_name[i]] == table.names[by_name[i - 1]]) {
      return bad_input(at_token(table, by_name[i]),
                       fmt::format("token is there twice, as {} too", by_name[i - 1]), "",
                       escape_control(table.names[by_name[i]]));
    }
  }
  return {};
}

Result<void> read_kinds(const GgufFile& file, TokenTable& table) {
  const auto types = file.integers("tokenizer.ggml.token_type");
  if (!types) return tl::unexpected(types.error());
  if (types->size() != table.names.size()) {
    return bad_input(at_key(table, "token_type"), "not one type for each token",
                     std::to_string(table.names.size()), std::to_string(types->size()));
  }
  table.kinds.reserve(types->size());
  for (std::size_t id = 0; id < types->size(); ++id) {
    const std::int64_t type = (*types)[id];
    if (type < 1 || type > 6) {
      return bad_input(fmt::format("{}[{}]", at_key(table, "token_type"), id), "unknown type of token",
                       "1 to 6", std::to_string(type));
    }
    table.kinds.push_back(static_cast<TokenKind>(type));
  }
  return {};
}

}  // namespace

Result<TokenTable> read_token_table(const GgufFiles& files) {
  const GgufFile& file = files.metadata();
  auto names = file.strings("tokenizer.ggml.tokens");
  if (!names) return tl::unexpected(names.error());
  TokenTable table{file.name(), std::move(*names), {}};
  if (auto sound = check_size(files, table); !sound) return tl::unexpected(sound.error());
  if (auto sound = check_names(table); !sound) return tl::unexpected(sound.error());
  if (auto done = read_kinds(file, table); !done) return tl::unexpected(done.error());
  return table;
}

std::string at_key(const TokenTable& table, std::string_view key) {
  return fmt::format("{}: tokenizer.ggml.{}", table.file, key);
}

std::string at_token(const TokenTable& table, std::size_t id) {
  return fmt::format("{}: tokenizer.ggml.tokens[{}]", table.file, id);
}

int byte_of_name(std::string_view name) {
  if (name.size() != 6 || !name.starts_with("<0x") || name[5] != '>') return -1;
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const std::size_t high = kDigits.find(name[3]);
  const std::size_t low = kDigits.find(name[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return -1;
  return static_cast<int>(high * 16 + low);
}

Result<std::array<std::uint32_t, 256>> byte_tokens(const TokenTable& table,
                                                   const std::vector<std::string>& texts, TokenKind kind) {
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::array<std::uint32_t, 256> ids;
  ids.fill(kNone);
  for (std::uint32_t id = 0; id < texts.size(); ++id) {
    if (table.kinds[id] == kind && texts[id].size() == 1) ids[static_cast<std::uint8_t>(texts[id][0])] = id;
  }
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    if (ids[byte] == kNone) {
      return bad_input(at_key(table, "tokens"), fmt::format("no token for byte 0x{:02X}", byte),
                       "one for each byte");
    }
  }
  return ids;
}

}  // namespace spanker
