// SPDX-License-Identifier: Apache-2.0
// The work of an engine's launches as codegen/formats/launch_work.h counts with it.
#pragma once

#include "codegen/formats/launch_work.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda {

static_assert(static_cast<int>(fb::ArithmeticUnit::none) == static_cast<int>(ArithmeticUnit::kNone));
static_assert(static_cast<int>(fb::ArithmeticUnit::fp32) == static_cast<int>(ArithmeticUnit::kFp32));
static_assert(static_cast<int>(fb::ArithmeticUnit::dp4a) == static_cast<int>(ArithmeticUnit::kDp4a));
static_assert(static_cast<int>(fb::ArithmeticUnit::tensor_int8) == static_cast<int>(ArithmeticUnit::kTensorInt8));
static_assert(static_cast<int>(fb::ArithmeticUnit::tensor_f16) == static_cast<int>(ArithmeticUnit::kTensorF16));

inline LaunchWork workOf(const fb::Work& work) {
  return {.rows = work.rows(),
          .window = work.window(),
          .fixedBytes = work.fixed_bytes(),
          .rowRead = work.row_read(),
          .rowWritten = work.row_written(),
          .keyBytes = work.key_bytes(),
          .rowMultiplyAdds = work.row_multiply_adds(),
          .keyMultiplyAdds = work.key_multiply_adds(),
          .expertBytes = work.expert_bytes(),
          .experts = work.experts(),
          .choices = work.choices(),
          .tileRows = work.tile_rows(),
          .unit = static_cast<ArithmeticUnit>(work.unit())};
}

} // namespace llcuda
