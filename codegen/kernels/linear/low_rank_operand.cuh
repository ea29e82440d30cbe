// SPDX-License-Identifier: Apache-2.0
// Low-rank products that a linear adds to those of its weights, of an adapter beside them: b . low where low = a . x.
// A linear of few rows makes low itself (decode_low_rank.cuh), before one of many rows low_rank_prompt.cuh does.
//
//   low       [m][rank] f32; of few rows the launch's first blocks write it
//   a         blob of f16_rows, rank x k, 256-byte aligned; of few rows
//   counts    three words, zero before and after the launch; of few rows. The first one is the epilogue's
//   weights   of each weight of the launch its b, a blob of f16_rows, [rows of the weight][rank]; null: nothing is
//             added to its products
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

struct LowRank {
  float* low;
  const uint8_t* a;
  uint32_t* counts;
  const uint8_t* weights[3];
};

} // namespace llcuda
