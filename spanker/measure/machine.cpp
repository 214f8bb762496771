#include "spanker/measure/machine.hpp"

#include <hwloc.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace spanker {
namespace {

std::uint32_t count(hwloc_topology_t topology, hwloc_obj_type_t type) {
  return static_cast<std::uint32_t>(std::max(1, hwloc_get_nbobjs_by_type(topology, type)));
}

}  // namespace

Machine this_machine() {
  Machine machine;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) machine.host = host.data();
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return machine;
  const std::unique_ptr<hwloc_topology, void (*)(hwloc_topology_t)> owner(topology, hwloc_topology_destroy);
  if (hwloc_topology_load(topology) != 0) return machine;
  machine.cores = count(topology, HWLOC_OBJ_CORE);
  machine.hardware_threads = count(topology, HWLOC_OBJ_PU);
  const hwloc_obj_t root = hwloc_get_root_obj(topology);
  // Memory that was plugged in later is not always in the nodes that hwloc adds up.
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  machine.memory = Bytes(std::max<std::uint64_t>(root->total_memory, pages * page));
  for (hwloc_obj_t package = nullptr;
       (package = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PACKAGE, package)) != nullptr;) {
    if (const char* model = hwloc_obj_get_info_by_name(package, "CPUModel")) machine.processor = model;
  }
  return machine;
}

double machine_load() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace spanker
