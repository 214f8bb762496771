#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spanker {

/// What the reader's screen can show.
struct Style {
  bool colour = false;

  std::string bold(std::string_view text) const;
  std::string dim(std::string_view text) const;
  std::string warning(std::string_view text) const;
};

enum class Align { kLeft, kRight };

/// Rows of text in aligned columns, two spaces apart, indented by two. Control characters in cells are
/// escaped.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as there are columns.
  void add(std::vector<std::string> cells);

  /// Titles (left out where all are empty) and rows, each ended by a newline, without trailing spaces.
  std::string to_string(const Style& style) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// A bar of `width` cells of which `share` (0 to 1) is filled.
std::string bar(double share, std::size_t width);

/// The number of terminal cells of UTF-8 text without control characters, one to a code point.
std::size_t display_width(std::string_view text);

}  // namespace spanker
