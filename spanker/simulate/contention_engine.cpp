#include "spanker/simulate/contention_engine.hpp"

#include <fmt/format.h>

#include <cmath>

#include "spanker/simulate/cluster_engine.hpp"
#include "spanker/simulate/load_flow_simulator.hpp"
#include "spanker/simulate/run_in_child.hpp"

namespace spanker {
namespace {

/// Checks what settings name against the cluster.
class SettingsCheck {
 public:
  explicit SettingsCheck(const Cluster& cluster) : network_(cluster), cards_(cluster.card_count) {}

  Result<void> operator()(const EngineSettings& settings) const {
    if (!(settings.jitter >= 0 && settings.jitter < 1)) {
      return bad_input("jitter", "is out of range", "at least 0, below 1",
                       fmt::format("{}", settings.jitter));
    }
    for (const auto& [from, to] : settings.pairs) {
      for (const CardId card : {from, to}) {
        if (auto found = check_card("transfer", card); !found) return found;
      }
    }
    for (std::size_t i = 0; i < settings.changes.size(); ++i) {
      const TimedChange& timed = settings.changes[i];
      const std::string where = fmt::format("change {}", i);
      if (!(timed.at >= Seconds(0) && std::isfinite(timed.at.count()))) {
        return bad_input(where, "its time is out of range", "at least 0 s",
                         fmt::format("{} s", timed.at.count()));
      }
      const auto checked = std::visit([&](const auto& change) { return check(where, change); }, timed.change);
      if (!checked) return checked;
    }
    return {};
  }

 private:
  Result<void> check_card(const std::string& where, CardId card) const {
    if (card < cards_) return {};
    return bad_input(where, "there is no such card", fmt::format("0 to {}", cards_ - 1),
                     fmt::format("{}", card));
  }
  Result<void> check_cable(const std::string& where, CardId from, CardId to) const {
    if (network_.find_link(from, to)) return {};
    return bad_input(where, "there is no such cable", "cards that are joined",
                     fmt::format("{} and {}", from, to));
  }
  static Result<void> check_factor(const std::string& where, double factor) {
    if (factor > 0 && std::isfinite(factor)) return {};
    return bad_input(where, "the factor is out of range", "above 0", fmt::format("{}", factor));
  }

  Result<void> check(const std::string& where, const LinkStateChange& change) const {
    return check_cable(where, change.from, change.to);
  }
  Result<void> check(const std::string& where, const LinkSpeedChange& change) const {
    if (auto found = check_cable(where, change.from, change.to); !found) return found;
    return check_factor(where, change.factor);
  }
  Result<void> check(const std::string& where, const HostLinkSpeedChange& change) const {
    return check_factor(where, change.factor);
  }
  Result<void> check(const std::string& where, const CardSpeedChange& change) const {
    if (auto found = check_card(where, change.card); !found) return found;
    return check_factor(where, change.factor);
  }
  Result<void> check(const std::string& where, const CardLoss& change) const {
    return check_card(where, change.card);
  }
  Result<void> check(const std::string& where, const HostTraffic& change) const {
    return check_card(where, change.card);
  }

  Network network_;
  std::uint32_t cards_;
};

}  // namespace

void EngineDriver::timer(ContentionEngine&, Tag) {}

void EngineDriver::cluster_changed(ContentionEngine&, const ClusterChange&) {}

Result<std::string> run_contention(const Cluster& cluster, const EngineSettings& settings,
                                   EngineDriver& driver, const EngineProgressCallback& progress) {
  if (auto checked = SettingsCheck(cluster)(settings); !checked) {
    return tl::unexpected(std::move(checked.error()));
  }
  const auto make_flow_simulator = load_flow_simulator();
  if (!make_flow_simulator) return tl::unexpected(make_flow_simulator.error());
  return run_in_child(
      [&](ParentLine& parent) {
        ClusterEngine engine(cluster, settings, driver, parent);
        parent.finish(engine.run(*make_flow_simulator));
      },
      progress);
}

}  // namespace spanker
