// SPDX-License-Identifier: Apache-2.0
// Launches of what keeps a state of each slot: short convolutions and the gated delta rule.
#pragma once

#include "codegen/formats/int8_rows.h"
#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct ShortConvDesc {
  uint32_t rows = 1;
  uint32_t columns = 4;             ///< a multiple of 4
  uint32_t taps = 2;                ///< up to 8
  bool gated = false;               ///< of three times as many columns: u = b * z, and y is times c
  bool silu = false;                ///< of y
  bool f32Rows = true;              ///< emits y
  bool int8Rows = false;            ///< emits y_codes and y_scales; columns are a multiple of 32
  RowOrder order = RowOrder::kRows; ///< of int8 rows
};
Result<void> checkShortConv(const ShortConvDesc& desc);
/// Bytes that a slot has.
uint64_t shortConvStateBytes(const ShortConvDesc& desc);
/// short_conv: each column with the last rows of its sequence
///   x             const float*    [rows][columns], or if gated [rows][b, c and z: 3 columns]
///   taps          const float*    [columns][taps]
///   positions     const int*      [rows]
///   slots         const int*      [rows]
///   state         float*          of each slot shortConvStateBytes()
///   y             float*          [rows][columns]; only with f32Rows
///   y_codes       int8_t*         int8 rows; only with int8Rows
///   y_scales      float2*         int8 rows; only with int8Rows
/// A sequence's bits are the same whatever phases it comes in.
LaunchSpec shortConvLaunch(const ShortConvDesc& desc);

struct DeltaRuleDesc {
  uint32_t rows = 1;
  uint32_t rowBlock = 1; ///< a sequence's rows begin at a multiple of it
  uint32_t keyHeads = 1, valueHeads = 1;
  uint32_t headSize = 32; ///< a multiple of 32 up to 256
  bool grouped = false;   ///< value heads of a key head stand together
  bool logRate = false;   ///< the rate is -exp of what is stored
};
Result<void> checkDeltaRule(const DeltaRuleDesc& desc);
/// Bytes that a slot has: two states, of the last step and of the one before it.
uint64_t deltaRuleStateBytes(const DeltaRuleDesc& desc);
/// delta_rule: linear attention by the gated delta rule
///   x             const float*    [rows][queries and keys of the key heads, values of the value heads]
///   decay         const float*    [rows][valueHeads]
///   beta          const float*    [rows][valueHeads]
///   rate          const float*    [valueHeads]
///   dt            const float*    [valueHeads]
///   positions     const int*      [rows]
///   slots         const int*      [rows]
///   state         float*          of each slot deltaRuleStateBytes()
///   y             float*          [rows][valueHeads][headSize]
/// A sequence's bits are the same whatever phases it comes in.
LaunchSpec deltaRuleLaunch(const DeltaRuleDesc& desc);

} // namespace llcuda::codegen
