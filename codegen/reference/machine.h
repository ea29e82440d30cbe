// SPDX-License-Identifier: Apache-2.0
// What the kernels of codegen/kernels/machine have to give.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "codegen/kernels/machine/machine_units.h"

namespace llcuda::reference {

/// Of unit_rate.cuh, for one lane of any warp; `turns` is even.
inline uint32_t unitResult(MachineUnit unit, uint32_t chains, uint32_t turns, uint32_t lane) {
  const uint32_t steps = turns * kMachineSteps, g = lane / 4, t = lane % 4;
  uint32_t sum = 0;
  for (uint32_t c = 0; c < chains; ++c) switch (unit) {
    case MachineUnit::kTensorInt8: // 16 products of (row + 1) (column + 1)
      for (uint32_t i = 0; i < 2; ++i) sum += (2 * i + 1) * (c + steps * 16 * (g + 1) * (2 * t + i + 1));
      break;
    case MachineUnit::kTensorF16: // 8 of them, also of the row 8 below
      for (uint32_t i = 0; i < 4; ++i) {
        const uint32_t row = i < 2 ? g : g + 8;
        sum += (2 * i + 1) * (c + steps * 8 * (row + 1) * (2 * t + i % 2 + 1));
      }
      break;
    case MachineUnit::kFma:
      sum += lane + c + steps * (lane + 1);
      break;
    case MachineUnit::kDot:
      sum += lane + c + steps * 4 * 2 * (lane + 1);
      break;
    case MachineUnit::kAlu: {
      uint32_t x = lane + c;
      for (uint32_t step = 0; step < steps; ++step) x = std::rotr(x ^ 0x5a5a5a5au, 7);
      sum += x;
      break;
    }
    case MachineUnit::kSpecial:
      sum += 1;
      break;
    case MachineUnit::kHalves:
      sum += lane + c + 3 * c;
      break;
    case MachineUnit::kShuffle:
      sum += lane + c;
      break;
    case MachineUnit::kMatrices:
    case MachineUnit::kShared:
    case MachineUnit::kL1:
      for (uint32_t step = 0; step < steps; ++step)
        for (uint32_t i = 0; i < 4; ++i) {
          const uint32_t inPiece = unit == MachineUnit::kMatrices ? (8 * i + g) * 4 + t : lane * 4 + i;
          const uint32_t turn = step / kMachineSteps, piece = turn % kMachineShifts + step % kMachineSteps * chains + c;
          sum += (2 * i + 1) * (piece * 128 + inPiece) * kMachineFactor;
        }
      break;
    }
  return sum;
}

/// Of load_latency.cuh.
inline uint32_t chainEnd(std::span<const uint32_t> next, uint32_t steps) {
  uint32_t at = 0;
  for (uint32_t step = 0; step < steps; ++step) at = next[at];
  return at;
}

/// Of residence.cuh, for a thread of `threads`.
inline uint32_t residenceResult(uint32_t turns, uint32_t thread, uint32_t threads) {
  uint32_t value = (thread + 1) % threads;
  for (uint32_t turn = 0; turn < turns; ++turn) value = value * kMachineFactor + 1;
  return value;
}

} // namespace llcuda::reference
