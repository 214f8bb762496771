#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "spanker/base/result.hpp"
#include "spanker/comm/communicator.hpp"
#include "spanker/run/run_cards.hpp"

namespace spanker {

/// Cards that have loaded their parts of a plan.
class LoadedPlan {
 public:
  explicit LoadedPlan(Seconds load) : load_(load) {}
  virtual ~LoadedPlan() = default;

  Seconds load() const { return load_; }  ///< what loading took

  /// Runs a made-up prompt of the workload's length and as many tokens as it generates; times on the first
  /// card. Fails as run_cards does.
  virtual Result<std::optional<RunTimes>> run() = 0;

 private:
  Seconds load_;
};

/// The cards that are measured. In several processes all of them make the same calls.
class Workbench {
 public:
  virtual ~Workbench() = default;

  virtual std::uint32_t cards() const = 0;
  virtual std::size_t threads() const = 0;  ///< of all cards together
  virtual bool in_processes() const = 0;
  /// Whether results come to this process.
  virtual bool is_first() const = 0;

  /// The arguments, and the bench, must outlive what is loaded. Fails as load_cards does.
  virtual Result<std::unique_ptr<LoadedPlan>> load(const ModelFile& file, const Problem& problem,
                                                   const Plan& plan) = 0;
  /// All cards at the same thing. Fails where one does.
  virtual Result<void> together(const std::function<Result<void>(Communicator&)>& work) = 0;
};

/// Cards of this process.
class LocalWorkbench final : public Workbench {
 public:
  LocalWorkbench(std::uint32_t cards, std::size_t threads) : cards_(cards), threads_(threads) {}

  std::uint32_t cards() const override { return cards_; }
  std::size_t threads() const override { return threads_; }
  bool in_processes() const override { return false; }
  bool is_first() const override { return true; }
  Result<std::unique_ptr<LoadedPlan>> load(const ModelFile& file, const Problem& problem,
                                           const Plan& plan) override;
  Result<void> together(const std::function<Result<void>(Communicator&)>& work) override;

 private:
  std::uint32_t cards_;
  std::size_t threads_;
};

/// This process is one of the cards.
class RankWorkbench final : public Workbench {
 public:
  /// `threads`: of this card. `on_host`: ranks on this host.
  RankWorkbench(Endpoint& endpoint, std::size_t threads, std::uint32_t on_host)
      : endpoint_(endpoint), threads_(threads), on_host_(on_host) {}

  std::uint32_t cards() const override { return endpoint_.transport().card_count(); }
  std::size_t threads() const override { return threads_ * cards(); }
  bool in_processes() const override { return true; }
  bool is_first() const override { return endpoint_.transport().card() == 0; }
  Result<std::unique_ptr<LoadedPlan>> load(const ModelFile& file, const Problem& problem,
                                           const Plan& plan) override;
  Result<void> together(const std::function<Result<void>(Communicator&)>& work) override;

 private:
  Endpoint& endpoint_;
  std::size_t threads_;
  std::uint32_t on_host_;
};

}  // namespace spanker
