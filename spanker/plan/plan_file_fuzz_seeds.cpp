// plan_file_fuzz_seeds FOLDER: writes the inputs that plan_file_fuzz starts from, plan files of small models
// on clusters of each topology.
#include <cstdio>
#include <string>

#include "spanker/cluster/profile.hpp"
#include "spanker/model/preset.hpp"
#include "spanker/plan/plan_file.hpp"
#include "spanker/plan/search.hpp"

namespace {

using namespace spanker;

/// Four cards, one of which is slow, with a cable that is not up where there is a spare one.
Result<Cluster> cluster_of(Topology topology) {
  auto cluster =
      load_cluster("raspberry-pi-5-gbe").and_then([](const Cluster& c) { return with_card_count(c, 4); });
  if (!cluster) return cluster;
  cluster->topology = topology;
  cluster->torus_columns = topology == Topology::kTorus ? 2 : 0;
  if (topology != Topology::kStar) cluster->star_switch = {};
  cluster->card_overrides[3] = cluster->card;
  cluster->card_overrides[3].memory_bandwidth.value = cluster->card.memory_bandwidth.low;
  cluster->link_overrides.clear();
  if (topology == Topology::kRing) {
    cluster->link_overrides[{0, 1}] = cluster->link;
    cluster->link_overrides[{0, 1}].state = LinkState::kDown;
  }
  return cluster;
}

Result<void> write_seed(const std::string& folder, Topology topology, PlanStrategy strategy) {
  const bool experts = topology == Topology::kTorus;
  const ModelShape shape{experts ? Architecture::kQwen3Moe : Architecture::kQwen2,
                         4,
                         64,
                         96,
                         4,
                         2,
                         32,
                         100,
                         4096,
                         1e-6,
                         1e6,
                         experts,
                         experts ? 4u : 0u,
                         experts ? 2u : 0u};
  auto model = make_model("small", shape, TensorType::kQ4_0);
  if (!model) return tl::unexpected(model.error());
  model->layers[1].down.type = TensorType::kQ8_0;
  auto cluster = cluster_of(topology);
  if (!cluster) return tl::unexpected(cluster.error());
  const auto problem = Problem::make(*model, *cluster, Workload{});
  if (!problem) return tl::unexpected(problem.error());
  const auto plan = search(*problem, StrategySet::only(strategy));
  if (!plan) return bad_input("seed", "nothing fits");
  const std::string name = std::string(to_string(topology)) + "_" + std::string(to_string(strategy));
  return write_plan_file(folder + "/" + name + ".json", *problem, *plan);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: plan_file_fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  for (const Topology topology :
       {Topology::kRing, Topology::kLine, Topology::kFullMesh, Topology::kStar, Topology::kTorus}) {
    for (const PlanStrategy strategy :
         {PlanStrategy::kSingleCard, PlanStrategy::kTensorParallel, PlanStrategy::kPipelineParallel}) {
      if (const auto written = write_seed(argv[1], topology, strategy); !written) {
        std::fprintf(stderr, "plan_file_fuzz_seeds: %s\n", to_line(written.error()).c_str());
        return 1;
      }
    }
  }
}
