#include "spanker/report/chrome_trace.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "spanker/base/file.hpp"
#include "spanker/base/file_size_limit_for_test.hpp"
#include "spanker/base/folder_for_test.hpp"
#include "spanker/cluster/profile.hpp"
#include "spanker/model/load.hpp"
#include "spanker/plan/search.hpp"
#include "spanker/report/json_keys_for_test.hpp"
#include "spanker/steps/lower.hpp"
#include "spanker/steps/predict_steps.hpp"

namespace spanker {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::kHostile;
using testing::parse_document;

class ChromeTrace : public testing::FolderTest {
 protected:
  std::string trace_path() const { return folder_.path("trace.json"); }

  json trace_of(const Cluster& cluster, const std::vector<TraceInstance>& instances,
                const Timeline& timeline) const {
    const auto written = write_chrome_trace(trace_path(), cluster, instances, timeline);
    EXPECT_TRUE(written) << to_line(written.error());
    return parse_document(read_text_file(trace_path(), std::size_t{1} << 30).value());
  }
};

/// The events of each row, by "group/name of the row", in the file's order.
std::map<std::string, std::vector<json>> rows_of(const json& trace) {
  std::map<json, std::string> groups;
  std::map<std::pair<json, json>, std::string> names;
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("name") == "process_name") groups[event.at("pid")] = event.at("args").at("name");
    if (event.at("name") == "thread_name") {
      names[{event.at("pid"), event.at("tid")}] = event.at("args").at("name");
    }
  }
  std::map<std::string, std::vector<json>> rows;
  for (const auto& [ids, name] : names) rows[groups.at(ids.first) + "/" + name];
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    const auto& name = names.at({event.at("pid"), event.at("tid")});
    rows.at(groups.at(event.at("pid")) + "/" + name).push_back(event);
  }
  return rows;
}

std::vector<std::string> names_of(const std::map<std::string, std::vector<json>>& rows) {
  std::vector<std::string> names;
  for (const auto& [name, events] : rows) names.push_back(name);
  return names;
}

/// Microseconds.
double busy(const std::vector<json>& events) {
  double sum = 0;
  for (const json& event : events) sum += event.at("dur").get<double>();
  return sum;
}

void expect_no_overlap(const std::map<std::string, std::vector<json>>& rows) {
  for (const auto& [name, events] : rows) {
    // Times are whole nanoseconds, which doubles of microseconds are only close to.
    std::int64_t last_end = 0;
    for (const json& event : events) {
      const auto start = std::llround(event.at("ts").get<double>() * 1000);
      EXPECT_GE(start, last_end) << name << ": " << event;
      last_end = start + std::llround(event.at("dur").get<double>() * 1000);
    }
  }
}

Cluster cluster_of(Topology topology, std::uint32_t cards) {
  Cluster cluster;
  cluster.topology = topology;
  cluster.card_count = cards;
  return cluster;
}

/// One send of an exchange.
StepId add_send(StepGraph& graph, CardId from, CardId to, Bytes bytes = Bytes(8)) {
  Exchange exchange;
  exchange.use = ExchangeUse::kFfnOutput;
  exchange.layer = 7;
  Step send;
  send.kind = StepKind::kSend;
  send.exchange = graph.begin_exchange(exchange);
  send.card = from;
  send.to = to;
  send.bytes = bytes;
  const StepId id = graph.add(send, {});
  graph.end_round();
  graph.end_exchange();
  return id;
}

StepId add_step(StepGraph& graph, StepKind kind, CardId card) {
  Step step;
  step.kind = kind;
  step.card = card;
  step.bytes = Bytes(16);
  return graph.add(step, {});
}

TEST_F(ChromeTrace, ShowsATokenOfTinyLlamaOverFourSails) {
  const auto cluster = load_cluster("sails-rev-a").value();
  const auto problem =
      Problem::make(load_model("tinyllama-1.1b", TensorType::kQ4_0).value(), cluster, Workload{}).value();
  const StepGraph graph = lower_decode(problem, search(problem).value());
  const Timeline timeline = predict_steps(graph, ClusterRates(cluster, Bound::kValue));
  const json trace = trace_of(cluster, {{&graph, "stream 0 token 3"}}, timeline);
  const auto rows = rows_of(trace);
  expect_no_overlap(rows);
  // A ring of four: two directions of each cable. Logits of card 2 come to card 0 over card 3, beside its
  // own.
  EXPECT_EQ(names_of(rows), (std::vector<std::string>{
                                "cards/card 0", "cards/card 1", "cards/card 2", "cards/card 3",
                                "host link/host link", "links/0->1", "links/0->3", "links/1->0", "links/1->2",
                                "links/2->1", "links/2->3", "links/3->0", "links/3->0 (2)", "links/3->2"}));
  ASSERT_EQ(rows.at("links/3->0 (2)").size(), 1u);
  EXPECT_EQ(rows.at("links/3->0 (2)")[0].at("name"), "logits_gather");
  // What each card reads of its memory, at 2 GB/s; there is no other cost in this profile.
  for (CardId card = 0; card < 4; ++card) {
    std::uint64_t bytes = 0;
    std::size_t kernels = 0;
    for (const Step& step : graph.steps()) {
      if (step.kind != StepKind::kKernel || step.card != card) continue;
      bytes += step.bytes.value;
      ++kernels;
    }
    const auto& events = rows.at("cards/card " + std::to_string(card));
    EXPECT_EQ(events.size(), kernels + (card == 0)) << "and the overhead of the pass";
    EXPECT_NEAR(busy(events), static_cast<double>(bytes) / 2e9 * 1e6, 1e-3 * static_cast<double>(kernels));
  }
  // docs/cost-model.md: gate_up reads 3 244 032 bytes, 22 times on each card.
  const auto& first = rows.at("cards/card 0");
  const auto gate_up =
      std::ranges::find_if(first, [](const json& event) { return event["name"] == "gate_up"; });
  ASSERT_NE(gate_up, first.end());
  EXPECT_DOUBLE_EQ(gate_up->at("dur").get<double>(), 1622.016);
  EXPECT_EQ(gate_up->at("args").at("bytes"), 3244032);
  EXPECT_EQ(gate_up->at("args").at("layer"), 0);
  EXPECT_EQ(gate_up->at("args").at("instance"), "stream 0 token 3");
  EXPECT_EQ(std::ranges::count_if(first, [](const json& event) { return event["name"] == "gate_up"; }), 22);
  // Token ids of 4 bytes up and down: 50 us and 40 ns each.
  EXPECT_NEAR(busy(rows.at("host link/host link")), 2 * 50.04, 1e-9);
  const double last_end = timeline.makespan().count() * 1e6;
  const json& last = rows.at("host link/host link").back();
  EXPECT_EQ(last.at("name"), "download");
  EXPECT_NEAR(last.at("ts").get<double>() + last.at("dur").get<double>(), last_end, 1e-3);
}

TEST_F(ChromeTrace, ShowsASendOnEveryLinkOfItsRoute) {
  StepGraph graph;
  const StepId near = add_send(graph, 0, 1);
  const StepId far = add_send(graph, 0, 2, Bytes(4096));
  Timeline timeline;
  timeline.entries = {{0, far, Seconds(2e-6), Seconds(5.5e-6)}, {0, near, Seconds(0), Seconds(1.5e-6)}};
  const auto star = rows_of(trace_of(cluster_of(Topology::kStar, 3), {{&graph, "a"}}, timeline));
  EXPECT_EQ(names_of(star),
            (std::vector<std::string>{"cards/card 0", "cards/card 1", "cards/card 2", "links/0->switch",
                                      "links/switch->1", "links/switch->2"}));
  ASSERT_EQ(star.at("links/0->switch").size(), 2u);
  for (const json& event : {star.at("links/0->switch")[1], star.at("links/switch->2")[0]}) {
    EXPECT_EQ(event.at("name"), "ffn_all_reduce");
    EXPECT_DOUBLE_EQ(event.at("ts").get<double>(), 2);
    EXPECT_DOUBLE_EQ(event.at("dur").get<double>(), 3.5);
    EXPECT_EQ(event.at("args"), json::parse(R"({"instance": "a", "step": 1, "layer": 7, "bytes": 4096,
                                                "from": 0, "to": 2})"));
  }
  const auto line = rows_of(trace_of(cluster_of(Topology::kLine, 3), {{&graph, "a"}}, timeline));
  EXPECT_EQ(line.at("links/0->1").size(), 2u);
  EXPECT_EQ(line.at("links/1->2").size(), 1u);
}

TEST_F(ChromeTrace, RowsHaveTheOrderOfCardsAndLinks) {
  StepGraph graph;
  const StepId last = add_send(graph, 11, 10);
  const StepId first = add_send(graph, 0, 1);
  Timeline timeline;
  timeline.entries = {{0, last, Seconds(0), Seconds(1)}, {0, first, Seconds(2), Seconds(3)}};
  const json trace = trace_of(cluster_of(Topology::kLine, 12), {{&graph, ""}}, timeline);
  std::map<std::pair<int, int>, int> places;
  std::map<std::pair<int, int>, std::string> names;
  for (const json& event : trace.at("traceEvents")) {
    const std::pair row(event.at("pid").get<int>(), event.at("tid").get<int>());
    if (event.at("name") == "thread_sort_index") places[row] = event.at("args").at("sort_index");
    if (event.at("name") == "thread_name") names[row] = event.at("args").at("name");
  }
  std::map<int, std::string> sorted;
  for (const auto& [row, place] : places) sorted[place] = names.at(row);
  ASSERT_EQ(sorted.size(), 14u);
  EXPECT_EQ(sorted[0], "card 0");
  EXPECT_EQ(sorted[2], "card 2") << "not card 10";
  EXPECT_EQ(sorted[12], "0->1");
  EXPECT_EQ(sorted[13], "11->10");
}

TEST_F(ChromeTrace, MovesWhatOverlapsToFurtherRows) {
  StepGraph graph;
  std::vector<StepId> sends;
  for (int i = 0; i < 4; ++i) sends.push_back(add_send(graph, 0, 1));
  Timeline timeline;
  timeline.entries = {{0, sends[0], Seconds(0), Seconds(2)},
                      {0, sends[1], Seconds(1), Seconds(3)},
                      {0, sends[2], Seconds(2), Seconds(4)},
                      {0, sends[3], Seconds(3.5), Seconds(5)}};
  const auto rows = rows_of(trace_of(cluster_of(Topology::kLine, 2), {{&graph, ""}}, timeline));
  expect_no_overlap(rows);
  ASSERT_EQ(rows.at("links/0->1").size(), 2u);
  ASSERT_EQ(rows.at("links/0->1 (2)").size(), 2u);
  EXPECT_EQ(rows.at("links/0->1")[1].at("args").at("step"), sends[2]);
  EXPECT_EQ(rows.at("links/0->1 (2)")[1].at("args").at("step"), sends[3]);
}

TEST_F(ChromeTrace, HostLinksAreOneOrEachCardsOwn) {
  StepGraph graph;
  const StepId up = add_step(graph, StepKind::kUpload, 0);
  const StepId down = add_step(graph, StepKind::kDownload, 1);
  const StepId overhead = add_step(graph, StepKind::kPassOverhead, 1);
  Timeline timeline;
  timeline.entries = {{0, up, Seconds(0), Seconds(1)},
                      {0, overhead, Seconds(1), Seconds(2)},
                      {0, down, Seconds(2), Seconds(3)}};
  Cluster cluster = cluster_of(Topology::kLine, 2);
  const auto shared = rows_of(trace_of(cluster, {{&graph, ""}}, timeline));
  EXPECT_EQ(shared.at("host link/host link").size(), 2u);
  EXPECT_EQ(shared.at("host link/host link")[0].at("name"), "upload");
  EXPECT_EQ(shared.at("cards/card 1")[0].at("name"), "pass_overhead");
  cluster.host_link.shared = false;
  const auto own = rows_of(trace_of(cluster, {{&graph, ""}}, timeline));
  EXPECT_EQ(own.at("host link/host link of card 0")[0].at("name"), "upload");
  EXPECT_EQ(own.at("host link/host link of card 1")[0].at("name"), "download");
}

TEST_F(ChromeTrace, CollectivesThatAreOneStepHaveARowAndJoinsNone) {
  StepGraph graph;
  Exchange exchange;
  exchange.use = ExchangeUse::kAttentionOutput;
  exchange.collective = Collective::kAllReduce;
  exchange.algorithm = Algorithm::kRing;
  exchange.layer = 3;
  exchange.expanded = false;
  Step whole;
  whole.kind = StepKind::kCollective;
  whole.exchange = graph.begin_exchange(exchange);
  const StepId id = graph.add(whole, {});
  graph.end_exchange();
  const StepId join = add_step(graph, StepKind::kJoin, kNoIndex);
  Timeline timeline;
  timeline.entries = {{0, id, Seconds(0), Seconds(1e-3)}, {0, join, Seconds(1e-3), Seconds(1e-3)}};
  const auto rows = rows_of(trace_of(cluster_of(Topology::kRing, 2), {{&graph, "x"}}, timeline));
  EXPECT_EQ(names_of(rows), (std::vector<std::string>{"cards/card 0", "cards/card 1",
                                                      "collectives/collectives as one step"}));
  const auto& events = rows.at("collectives/collectives as one step");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].at("name"), "attention_all_reduce");
  EXPECT_EQ(events[0].at("args"), json::parse(R"({"instance": "x", "step": 0, "layer": 3,
                                                  "collective": "all_reduce", "algorithm": "ring"})"));
}

TEST_F(ChromeTrace, LeavesOutWhatNeverEnds) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  StepGraph graph;
  const StepId step = add_step(graph, StepKind::kKernel, 0);
  const StepId lost = add_send(graph, 0, 1);
  Timeline timeline;
  timeline.entries = {{0, step, Seconds(kNever), Seconds(kNever)},
                      {0, step, Seconds(0), Seconds(kNever)},
                      {0, step, Seconds(0), Seconds(std::nan(""))},
                      {0, step, Seconds(2), Seconds(1)},
                      {0, step, Seconds(-1), Seconds(1)},
                      {0, step, Seconds(0), Seconds(1.1e9)},
                      {0, lost, Seconds(0), Seconds(1)},
                      {0, step, Seconds(1e9), Seconds(1e9)}};
  Cluster cluster = cluster_of(Topology::kLine, 2);
  cluster.link_overrides[{0, 1}].state = LinkState::kDown;
  const auto rows = rows_of(trace_of(cluster, {{&graph, ""}}, timeline));
  EXPECT_EQ(names_of(rows), (std::vector<std::string>{"cards/card 0", "cards/card 1"}));
  ASSERT_EQ(rows.at("cards/card 0").size(), 1u);
  EXPECT_EQ(rows.at("cards/card 0")[0].at("ts").get<double>(), 1e15);
}

TEST_F(ChromeTrace, AnEmptyTimelineIsATraceOfIdleCards) {
  const auto rows = rows_of(trace_of(cluster_of(Topology::kRing, 2), {}, {}));
  EXPECT_EQ(names_of(rows), (std::vector<std::string>{"cards/card 0", "cards/card 1"}));
}

TEST_F(ChromeTrace, EscapesLabels) {
  StepGraph graph;
  const StepId step = add_step(graph, StepKind::kKernel, 0);
  Timeline timeline;
  timeline.entries = {{0, step, Seconds(0), Seconds(1)}, {1, step, Seconds(1), Seconds(2)}};
  const auto rows = rows_of(trace_of(cluster_of(Topology::kRing, 1),
                                     {{&graph, std::string(kHostile)}, {&graph, "\"}]"}}, timeline));
  const auto& events = rows.at("cards/card 0");
  ASSERT_EQ(events.size(), 2u);
  const std::string label = events[0].at("args").at("instance");
  EXPECT_TRUE(label.starts_with("a\x1b[31m\n\r\t\x7f\"\\\xef\xbf\xbd"));
  EXPECT_EQ(events[1].at("args").at("instance"), "\"}]");
}

/// Times that touch, overlap and differ by less than a nanosecond.
RC_GTEST_FIXTURE_PROP(ChromeTrace, RowsNeverOverlapAndHoldEverySend, ()) {
  StepGraph graph;
  Timeline timeline;
  const auto count = *rc::gen::inRange<std::uint32_t>(0, 60);
  double sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const StepId id = add_send(graph, 0, *rc::gen::inRange(1u, 3u));
    const double start = *rc::gen::inRange(0, 200) * 1.7e-10 + *rc::gen::inRange(0, 20) * 1e-6;
    const double seconds = *rc::gen::element(0.0, 1e-10, 1e-6, 3.3e-6);
    timeline.entries.push_back({0, id, Seconds(start), Seconds(start + seconds)});
    // A line of three: to card 2 over two links.
    sum += seconds * 1e6 * graph.step(id).to;
  }
  const auto rows = rows_of(trace_of(cluster_of(Topology::kLine, 3), {{&graph, ""}}, timeline));
  double total = 0;
  for (const auto& [name, events] : rows) {
    std::int64_t last_end = 0;
    for (const json& event : events) {
      const auto start = std::llround(event.at("ts").get<double>() * 1000);
      RC_ASSERT(start >= last_end);
      last_end = start + std::llround(event.at("dur").get<double>() * 1000);
    }
    total += busy(events);
  }
  RC_ASSERT(std::abs(total - sum) <= 2e-3 * count);
}

TEST_F(ChromeTrace, AFullDiskIsAnErrorAndLeavesNothing) {
  StepGraph graph;
  const StepId step = add_step(graph, StepKind::kKernel, 0);
  Timeline timeline;
  for (int i = 0; i < 50'000; ++i) timeline.entries.push_back({0, step, Seconds(i), Seconds(i + 1)});
  const std::vector<TraceInstance> instances = {{&graph, "x"}};
  const Cluster cluster = cluster_of(Topology::kRing, 2);
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{3} << 20}) {
    const testing::FileSizeLimit full(bytes);
    const auto written = write_chrome_trace(trace_path(), cluster, instances, timeline);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::kIo);
    EXPECT_EQ(written.error().where, trace_path());
    EXPECT_TRUE(fs::is_empty(folder_.path()));
  }
  ASSERT_TRUE(write_chrome_trace(trace_path(), cluster, instances, timeline));
  EXPECT_GT(fs::file_size(trace_path()), std::uintmax_t{3} << 20) << "else the second limit was none";
  const auto nowhere = write_chrome_trace(folder_.path("none/trace.json"), cluster, instances, timeline);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace spanker
