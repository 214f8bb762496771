#include "spanker/base/parse_json.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "spanker/base/text.hpp"

namespace spanker {
namespace {

using Json = nlohmann::json;

/// Finds what the library would let pass, or answer with an exception: it stops at the first fault.
class JsonCheck : public nlohmann::json_sax<Json> {
 public:
  JsonCheck(std::string_view file, std::string_view kind) : file_(file), kind_(kind) {}

  const std::optional<Error>& fault() const { return fault_; }

  bool null() override { return pass(); }
  bool boolean(bool) override { return pass(); }
  bool number_integer(std::int64_t) override { return pass(); }
  bool number_unsigned(std::uint64_t) override { return pass(); }
  bool number_float(double, const std::string&) override { return pass(); }
  bool string(std::string&) override { return pass(); }
  bool binary(Json::binary_t&) override { return pass(); }
  bool start_array(std::size_t) override { return enter(); }
  bool start_object(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool end_object() override { return leave(); }
  bool key(std::string& key) override {
    open_.back().key = key;
    if (open_.back().keys.insert(key).second) return true;
    return fail(bad_input(fmt::format("{}: {}", file_, path()), "key stands twice in an object"));
  }
  bool parse_error(std::size_t byte, const std::string&, const nlohmann::detail::exception& fault) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ... - the reason"
    const std::string_view text = fault.what();
    const std::size_t dash = text.find(" - ");
    const std::string_view reason =
        text.substr(dash == std::string_view::npos ? text.find("] ") + 2 : dash + 3);
    return fail(bad_input(fmt::format("{}: byte {}", file_, byte), "not JSON",
                          fmt::format("an object as in {}", kind_), shortened(reason)));
  }

 private:
  static constexpr std::size_t kDeepest = 32;

  /// An object or an array whose end has not come yet.
  struct Open {
    std::set<std::string> keys;
    std::string key;           // of the object's value that is being read
    std::size_t elements = 0;  // of the array that have begun
  };

  /// "stages[1].cards" of the key that was read last.
  std::string path() const {
    std::string path;
    for (const Open& open : open_) {
      if (open.keys.empty()) {
        path += fmt::format("[{}]", open.elements - 1);
      } else {
        path += (path.empty() ? "" : ".") + shortened(open.key);
      }
    }
    return path;
  }
  bool fail(Failure fault) {
    fault_ = fault.value();
    return false;
  }
  bool pass() {
    if (!open_.empty()) ++open_.back().elements;
    return true;
  }
  bool enter() {
    if (open_.size() == kDeepest) {
      return fail(bad_input(std::string(file_), "values nested too deeply",
                            fmt::format("at most {} levels", kDeepest)));
    }
    pass();
    open_.emplace_back();
    return true;
  }
  bool leave() {
    open_.pop_back();
    return true;
  }

  std::string_view file_;
  std::string_view kind_;
  std::vector<Open> open_;
  std::optional<Error> fault_;
};

}  // namespace

Result<Json> parse_json_object(std::string_view text, std::string_view file, std::string_view kind) {
  JsonCheck check(file, kind);
  if (!Json::sax_parse(text, &check)) return tl::unexpected(*check.fault());
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) return json;
  return bad_input(std::string(file), fmt::format("not {}", kind), "a JSON object", json.type_name());
}

}  // namespace spanker
