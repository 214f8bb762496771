#pragma once

namespace spanker {

int lower();

}  // namespace spanker
