#include "spanker/cli/rank_events.hpp"

#include "spanker/base/first_fault.hpp"
#include "spanker/base/parse_json.hpp"
#include "spanker/base/strict_object.hpp"

namespace spanker {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kEvent = "spanker_event";
constexpr ExitCode kCodes[] = {ExitCode::kFine, ExitCode::kNo, ExitCode::kBadInput, ExitCode::kIo,
                               ExitCode::kInternal};

struct ToJson {
  Json operator()(const StartedEvent& event) const { return {{kEvent, "started"}, {"hosts", event.hosts}}; }
  Json operator()(const TokenEvent& event) const {
    return {{kEvent, "token"}, {"token", event.token}, {"seed", event.seed}, {"text", event.text}};
  }
  Json operator()(const TextEvent& event) const { return {{kEvent, "text"}, {"text", event.text}}; }
  Json operator()(const EndEvent& event) const {
    Json json = {{kEvent, "end"},
                 {"code", static_cast<int>(event.outcome.code)},
                 {"out", event.outcome.out},
                 {"error", event.outcome.error},
                 {"warnings", event.outcome.warnings}};
    if (event.lost) json["lost"] = *event.lost;
    return json;
  }
};

std::vector<std::string> texts(const Json& json, std::string_view key) {
  std::vector<std::string> all;
  const auto list = json.find(key);
  if (list == json.end() || !list->is_array()) return all;
  for (const Json& each : *list) {
    if (each.is_string()) all.push_back(each.get<std::string>());
  }
  return all;
}

EndEvent end_from(const StrictObject& object, const Json& json) {
  EndEvent end;
  end.outcome.code = kCodes[object.integer<std::size_t>("code", 0, std::size(kCodes) - 1)];
  end.outcome.out = object.text("out");
  end.outcome.error = object.text("error");
  end.outcome.warnings = texts(json, "warnings");
  if (object.has("lost")) end.lost = object.integer<std::uint32_t>("lost", 0, UINT32_MAX);
  return end;
}

}  // namespace

std::string line_of(const RankEvent& event) {
  return std::visit(ToJson{}, event).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<RankEvent> event_from(std::string_view line) {
  const auto json = parse_json_object(line, "a rank", "an event");
  if (!json) return std::nullopt;
  FirstFault fault;
  const StrictObject object(*json, "a rank", "", fault);
  const std::string kind = object.text(kEvent);
  RankEvent event;
  if (kind == "started") {
    event = StartedEvent{texts(*json, "hosts")};
  } else if (kind == "token") {
    event = TokenEvent{object.integer<std::uint32_t>("token", 0, UINT32_MAX),
                       object.integer<std::uint64_t>("seed", 0, UINT64_MAX), object.text("text")};
  } else if (kind == "text") {
    event = TextEvent{object.text("text")};
  } else if (kind == "end") {
    event = end_from(object, *json);
  } else {
    return std::nullopt;
  }
  if (!object.sound()) return std::nullopt;
  return event;
}

}  // namespace spanker
