#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spanker/base/result.hpp"
#include "spanker/cluster/cluster.hpp"
#include "spanker/kernels/weight_type.hpp"
#include "spanker/measure/card_fit.hpp"
#include "spanker/measure/link_sweep.hpp"
#include "spanker/measure/machine.hpp"
#include "spanker/measure/workbench.hpp"

namespace spanker {

/// What was seen of a machine, or of several, and the cluster that it amounts to.
struct MachineMeasurement {
  Machine machine;
  std::uint32_t cards = 1;
  std::size_t threads = 1;  ///< of all cards together
  bool in_processes = false;

  struct Read {
    std::uint32_t threads;
    BytesPerSecond rate;
  };
  std::vector<Read> reads;  ///< of memory, by so many threads

  struct Kernel {
    WeightType type;
    BytesPerSecond rate;
  };
  std::vector<Kernel> kernels;  ///< decode kernels on all threads

  struct Decode {
    std::string model;
    Bytes weights;      ///< read for a token
    Seconds token{0};   ///< the mean
    double spread = 0;  ///< of the blocks that count: greatest less least, over the mean
    Seconds fitted{0};  ///< what the cluster predicts for it
  };
  std::vector<Decode> decodes;

  struct AllReduce {
    Bytes bytes;
    Seconds measured{0};
    Seconds predicted{0};
  };
  std::optional<AllReduce> all_reduce;

  CardFit card;
  Cluster cluster;  ///< "localhost"

  /// The greatest spread of the decodes.
  double spread() const;
};

/// A model to decode with.
struct SampleModel {
  std::string name;
  ModelShape shape;
};
/// One of many small steps, one of few large ones and one between, so that bytes and steps can be told apart:
/// layers of such models as are run, and about as deep (docs/calibration.md has what shallower ones did).
/// Each has more weights than caches hold from token to token: a server's last cache, said to be of 300 MB,
/// was seen to hold some of 128 MB and nothing of 256 MB.
std::vector<SampleModel> sample_models();

struct MeasureOptions {
  int blocks = 12;  ///< of tokens of all models: the middle half of them counts, ranges are theirs
  /// What a block takes at least. It is made of turns, in each of which every model has a few tokens: what
  /// disturbs one then disturbs all.
  Seconds block{3.5};
  std::vector<SampleModel> models = sample_models();    ///< at least three
  std::uint64_t long_prompt = 256;                      ///< for the rate of arithmetic
  Bytes read_size = Bytes(std::uint64_t{512} << 20);    ///< that memory is read of; many times the caches
  Bytes kernel_size = Bytes(std::uint64_t{256} << 20);  ///< of matrices of each type
  std::string folder;  ///< for the models that are run, some 700 MB; must be there
  /// Memory of each card in order; of one process, all of which is this machine's: empty.
  std::vector<Machine> machines;
  std::string today;  ///< for sources: "2026-11-28"
  /// Told what is done, of how many things; whether to go on.
  std::function<bool(std::uint64_t done, std::uint64_t total, std::string_view what)> progress;
};

/// Measures memory, kernels, links and whole tokens of synthetic models, and fits a cluster to them. On the
/// first card, else nothing. Fails with kIo where models cannot be written or `progress` says to stop, and as
/// the workbench does.
Result<std::optional<MachineMeasurement>> measure_machine(Workbench& bench, const MeasureOptions& options);

}  // namespace spanker
