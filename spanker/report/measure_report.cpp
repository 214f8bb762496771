#include "spanker/report/measure_report.hpp"

#include <fmt/format.h>

#include "spanker/base/format_quantity.hpp"
#include "spanker/base/text.hpp"
#include "spanker/report/json_values.hpp"

namespace spanker {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json range_json(const Ranged<T>& range) {
  const auto number = [](const T& value) {
    if constexpr (std::is_same_v<T, Seconds>) {
      return value.count();
    } else {
      return value.value;
    }
  };
  return {{"value", number(range.value)}, {"low", number(range.low)}, {"high", number(range.high)}};
}

template <class T>
std::string range_text(const Ranged<T>& range) {
  return fmt::format("{} to {}", format(range.low), format(range.high));
}

std::string card_table(const MachineMeasurement& measured, const Style& style) {
  const Cluster& cluster = measured.cluster;
  Table table({{"", Align::kLeft}, {"value", Align::kRight}, {"range", Align::kLeft}});
  const auto row = [&](const char* name, const auto& range) {
    table.add({name, format(range.value), range_text(range)});
  };
  row("memory bandwidth", cluster.card.memory_bandwidth);
  table.add({"memory capacity", format(cluster.card.memory_capacity.value), ""});
  if (cluster.card.compute) row("compute", *cluster.card.compute);
  row("step overhead", cluster.card.step_overhead);
  row("token overhead", cluster.card.token_overhead);
  if (measured.cards > 1) {
    row("link bandwidth", cluster.link.bandwidth);
    row("link latency", cluster.link.latency);
  }
  row("loading", cluster.host_link.bandwidth);
  return table.to_string(style);
}

std::string decode_table(const MachineMeasurement& measured, const Style& style) {
  Table table({{"a token of", Align::kLeft},
               {"weights", Align::kRight},
               {"measured", Align::kRight},
               {"spread", Align::kRight},
               {"predicted", Align::kRight},
               {"off by", Align::kRight}});
  for (const auto& decode : measured.decodes) {
    table.add({decode.model, format(decode.weights), format(decode.token),
               fmt::format("{:.1f} %", 100 * decode.spread), format(decode.fitted),
               fmt::format("{:+.1f} %", 100 * (decode.fitted / decode.token - 1))});
  }
  return table.to_string(style);
}

std::string rates_table(const MachineMeasurement& measured, const Style& style) {
  Table table({{"", Align::kLeft}, {"bytes a second", Align::kRight}});
  for (const auto& read : measured.reads) {
    table.add({fmt::format("reading, {} {}", read.threads, read.threads == 1 ? "thread" : "threads"),
               format(read.rate)});
  }
  for (const auto& kernel : measured.kernels) {
    table.add({fmt::format("decode kernel, {}", to_string(kernel.type)), format(kernel.rate)});
  }
  return table.to_string(style);
}

}  // namespace

std::string to_json(const MachineMeasurement& measured) {
  const Cluster& cluster = measured.cluster;
  Json reads = Json::array();
  for (const auto& read : measured.reads) {
    reads.push_back({{"threads", read.threads}, {"bytes_per_second", read.rate.value}});
  }
  Json kernels = Json::array();
  for (const auto& kernel : measured.kernels) {
    kernels.push_back({{"type", to_string(kernel.type)}, {"bytes_per_second", kernel.rate.value}});
  }
  Json decodes = Json::array();
  for (const auto& decode : measured.decodes) {
    decodes.push_back({{"model", decode.model},
                       {"weight_bytes", decode.weights.value},
                       {"seconds_per_token", decode.token.count()},
                       {"spread", decode.spread},
                       {"predicted_seconds_per_token", decode.fitted.count()}});
  }
  Json all_reduce;
  if (measured.all_reduce) {
    all_reduce = {{"bytes", measured.all_reduce->bytes.value},
                  {"seconds", measured.all_reduce->measured.count()},
                  {"predicted_seconds", measured.all_reduce->predicted.count()}};
  }
  Json link;
  if (measured.cards > 1) {
    link = {{"bandwidth_bytes_per_second", range_json(cluster.link.bandwidth)},
            {"latency_seconds", range_json(cluster.link.latency)}};
  }
  return as_document(
      {{"schema", "spanker.measure/1"},
       {"host", measured.machine.host},
       {"processor", measured.machine.processor},
       {"cores", measured.machine.cores},
       {"memory_bytes", measured.machine.memory.value},
       {"cards", measured.cards},
       {"threads", measured.threads},
       {"processes", measured.in_processes},
       {"read", reads},
       {"kernels", kernels},
       {"decode", decodes},
       {"card",
        {{"memory_bandwidth_bytes_per_second", range_json(cluster.card.memory_bandwidth)},
         {"memory_capacity_bytes", cluster.card.memory_capacity.value.value},
         {"compute_ops_per_second", cluster.card.compute ? range_json(*cluster.card.compute) : Json()},
         {"step_overhead_seconds", range_json(cluster.card.step_overhead)},
         {"token_overhead_seconds", range_json(cluster.card.token_overhead)}}},
       {"link", link},
       {"all_reduce", all_reduce}});
}

std::string to_text(const MachineMeasurement& measured, const Style& style) {
  std::string text = style.bold(escape_control(measured.machine.host)) + ": " +
                     escape_control(measured.cluster.description) + "\n\n" + style.bold("What was seen") +
                     "\n" + rates_table(measured, style);
  text += "\n" + style.bold("A card, fitted") + "\n" + card_table(measured, style);
  text +=
      "\n" + style.bold("How well that predicts what was measured") + "\n" + decode_table(measured, style);
  if (measured.all_reduce) {
    text += fmt::format("\nAn all_reduce of {} takes {}, by the fitted links {}.\n",
                        format(measured.all_reduce->bytes), format(measured.all_reduce->measured),
                        format(measured.all_reduce->predicted));
  }
  return text;
}

}  // namespace spanker
