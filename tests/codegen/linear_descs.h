// SPDX-License-Identifier: Apache-2.0
// Descriptions of linears as tests write them.
#pragma once

#include "codegen/spec/linear_spec.h"

namespace llcuda::codegen {

inline LinearDesc linearOf(WeightLayout layout, uint32_t rows, uint32_t inputs, uint32_t outputs,
                           const LinearEpilogue& epilogue = StoreRows{}) {
  return {.rows = rows, .inputs = inputs, .parts = {{layout, outputs}}, .epilogue = epilogue};
}

/// Gate and up.
inline LinearDesc gluOf(WeightLayout layout, uint32_t rows, uint32_t inputs, uint32_t outputs,
                        const GateRows& epilogue = {}) {
  return {.rows = rows, .inputs = inputs, .parts = {{layout, outputs}, {layout, outputs}}, .epilogue = epilogue};
}

inline LinearDesc qkvOf(WeightLayout layout, WeightLayout vLayout, uint32_t rows, uint32_t inputs, uint32_t qOutputs,
                        uint32_t kvOutputs, const LinearEpilogue& epilogue = StoreRows{}) {
  return {.rows = rows,
          .inputs = inputs,
          .parts = {{layout, qOutputs}, {layout, kvOutputs}, {vLayout, kvOutputs}},
          .epilogue = epilogue};
}

/// The same by tensor cores.
inline LinearDesc manyRows(LinearDesc desc) {
  desc.kernels = LinearKernels::kManyRows;
  return desc;
}

inline LinearDesc biased(LinearDesc desc) {
  desc.bias = true;
  return desc;
}

} // namespace llcuda::codegen
