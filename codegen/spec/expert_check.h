// SPDX-License-Identifier: Apache-2.0
// What launches of experts ask of rows, experts and choices.
#pragma once

#include <cstdint>

#include "runtime/base/result.h"

namespace llcuda::codegen {

inline constexpr uint32_t kMaxExperts = 1024, kMaxChoices = 32;
inline constexpr uint32_t kMaxChosen = 65535; ///< choices of all rows: blocks along y

inline Result<void> checkChoices(const char* op, uint32_t rows, uint32_t experts, uint32_t choices) {
  if (experts == 0 || experts > kMaxExperts || choices == 0 || choices > kMaxChoices || choices > experts)
    return unsupported(op, " of ", choices, " of ", experts, " experts; kernels exist for 1 to ", kMaxChoices,
                       " of 1 to ", kMaxExperts);
  if (rows == 0 || uint64_t{rows} * choices > kMaxChosen)
    return unsupported(op, " of ", rows, " rows; kernels exist for 1 to ", kMaxChosen / choices);
  return {};
}

} // namespace llcuda::codegen
