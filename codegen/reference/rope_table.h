// SPDX-License-Identifier: Apache-2.0
// The cosines and sines of a rope, computed once in double and stored as float.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "codegen/formats/position_growth.h"

namespace llcuda::reference {

/// Speeds of the `dimensions / 2` pairs of a plain rope: base^(-2 i / dimensions), in radians a position.
std::vector<double> ropeFrequencies(size_t dimensions, double base);

/// magnitude * {cos, sin} of position * frequencies[i], as [positions][frequencies][2]; `growth` multiplies that too.
std::vector<float> ropeTable(std::span<const double> frequencies, double magnitude, size_t positions,
                             const PositionGrowth& growth = {});

} // namespace llcuda::reference
