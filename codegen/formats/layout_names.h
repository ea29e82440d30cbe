// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "codegen/formats/weight_layout.h"

namespace llcuda::formats {

/// "q4_1_planes"
std::string_view layoutName(WeightLayout layout);
std::optional<WeightLayout> layoutByName(std::string_view name);

/// As sources write it: "kQ4_1Planes".
std::string_view layoutEnumerator(WeightLayout layout);

/// Short form for kernel names: "q4_1", "f16".
std::string_view layoutFormat(WeightLayout layout);

} // namespace llcuda::formats
