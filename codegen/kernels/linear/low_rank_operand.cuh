// SPDX-License-Identifier: Apache-2.0
// Low-rank products that a linear adds to those of its weights: b . low, of an adapter beside a weight. Linears of few
// rows add them by decode_low_rank.cuh, those of many by prompt_low_rank.cuh.
//
//   low       [m][rank] f32: low_rank.cuh or low_rank_prompt.cuh makes it of the rows that the linear reads
//   weights   of each weight of the launch its b, a blob of f16_rows, [rows of the weight][rank]; null: nothing is
//             added to its products
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

struct LowRank {
  const float* low;
  const uint8_t* weights[3];
};

} // namespace llcuda
