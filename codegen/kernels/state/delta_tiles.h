// SPDX-License-Identifier: Apache-2.0
// How a launch of delta_rule is cut, for its kernel and for codegen/spec.
#pragma once

namespace llcuda {

constexpr int kDeltaColumns = 32; ///< values of a head that a block makes
constexpr int kDeltaLanes = 8;    ///< of a warp, that share a value's row of the state
constexpr int kDeltaThreads = kDeltaColumns * kDeltaLanes;
constexpr int kDeltaWarps = kDeltaThreads / 32;

} // namespace llcuda
