#include "spanker/cluster/link.hpp"

namespace spanker {

std::string_view to_string(LinkState state) {
  switch (state) {
    case LinkState::kDown:
      return "down";
    case LinkState::kTraining:
      return "training";
    case LinkState::kUp:
      return "up";
    case LinkState::kError:
      return "error";
  }
  return {};
}

std::string_view to_string(LineCoding coding) {
  switch (coding) {
    case LineCoding::k8b10b:
      return "8b/10b";
    case LineCoding::k64b66b:
      return "64b/66b";
  }
  return {};
}

}  // namespace spanker
