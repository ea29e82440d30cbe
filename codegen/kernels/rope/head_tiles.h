// SPDX-License-Identifier: Apache-2.0
// How heads are divided among lanes where they are normed and rotated, for kernels and for who launches them.
#pragma once

namespace llcuda {

constexpr int kHeadThreads = 128;

/// Lanes that hold a head, four neighbouring elements at a time.
constexpr int headLanes(int headSize) {
  const int fours = headSize / 4;
  return fours > 16 ? 32 : fours > 8 ? 16 : fours > 4 ? 8 : 4;
}

constexpr int headsPerBlock(int headSize) {
  return kHeadThreads / headLanes(headSize);
}

} // namespace llcuda
