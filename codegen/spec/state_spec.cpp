// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/state_spec.h"

#include <algorithm>
#include <cassert>

#include "codegen/kernels/state/delta_tiles.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxColumns = 1u << 20, kMaxRows = 65535, kMaxTaps = 8, kMaxHeads = 4096, kMaxHeadSize = 256;

Result<void> checkRows(const char* op, uint32_t rows) {
  if (rows == 0 || rows > kMaxRows)
    return unsupported(op, " of ", rows, " rows; kernels exist for 1 to ", kMaxRows);
  return {};
}

} // namespace

Result<void> checkShortConv(const ShortConvDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkRows("short_conv", desc.rows));
  if (desc.columns == 0 || desc.columns % 4 != 0 || desc.columns > kMaxColumns)
    return unsupported("short_conv of ", desc.columns, " columns; kernels exist for multiples of 4 up to ",
                       kMaxColumns);
  if (desc.taps < 2 || desc.taps > kMaxTaps)
    return unsupported("short_conv of ", desc.taps, " taps; kernels exist for 2 to ", kMaxTaps);
  if (desc.gated && desc.silu)
    return unsupported("short_conv that is gated and has a silu");
  if (!desc.f32Rows && !desc.int8Rows)
    return unsupported("short_conv that emits no rows");
  if (desc.int8Rows && desc.columns % 32 != 0)
    return unsupported("short_conv of ", desc.columns, " columns in int8 rows; kernels exist for multiples of 32");
  return {};
}

uint64_t shortConvStateBytes(const ShortConvDesc& desc) {
  return sizeof(float) * uint64_t{desc.taps} * desc.columns;
}

LaunchSpec shortConvLaunch(const ShortConvDesc& desc) {
  assert(checkShortConv(desc));
  const uint32_t fours = desc.columns / 4, threads = std::clamp(divideUp(fours, 32) * 32, 32u, 128u);
  KernelBuilder kernel("short_conv", "codegen/kernels/state/short_conv.cuh");
  kernel.group("ShortConvShape", {{"columns", number("c", desc.columns)},
                                  {"taps", number("k", desc.taps)},
                                  {"gated", flag("gated", desc.gated)},
                                  {"silu", flag("silu", desc.silu)},
                                  {"threads", number("t", threads)}});
  kernel.group("RowForms", rowForms(desc.f32Rows, desc.int8Rows, desc.order));
  kernel.input("x", "const float*").input("taps", "const float*").input("positions", "const int*");
  kernel.input("slots", "const int*").inOut("state", "float*").outputRows("y", desc.f32Rows, desc.int8Rows);
  return {kernel.build("shortConv", threads), {divideUp(fours, threads), desc.rows, 1}, workOf(desc)};
}

Result<void> checkDeltaRule(const DeltaRuleDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkRows("delta_rule", desc.rows));
  if (desc.rowBlock == 0 || desc.rowBlock > desc.rows)
    return unsupported("delta_rule of ", desc.rows, " rows in blocks of ", desc.rowBlock);
  if (desc.headSize == 0 || desc.headSize % kDeltaColumns != 0 || desc.headSize > kMaxHeadSize)
    return unsupported("delta_rule of heads of ", desc.headSize, " elements; kernels exist for multiples of ",
                       kDeltaColumns, " up to ", kMaxHeadSize);
  if (desc.keyHeads == 0 || desc.valueHeads == 0 || desc.valueHeads % desc.keyHeads != 0 || desc.valueHeads > kMaxHeads)
    return unsupported("delta_rule of ", desc.valueHeads, " value heads and ", desc.keyHeads,
                       " key heads; kernels exist for multiples of them up to ", kMaxHeads);
  return {};
}

uint64_t deltaRuleStateBytes(const DeltaRuleDesc& desc) {
  return 2 * sizeof(float) * uint64_t{desc.valueHeads} * desc.headSize * desc.headSize;
}

LaunchSpec deltaRuleLaunch(const DeltaRuleDesc& desc) {
  assert(checkDeltaRule(desc));
  KernelBuilder kernel("delta_rule", "codegen/kernels/state/delta_rule.cuh");
  kernel.group("DeltaRuleShape", {{"keyHeads", number("k", desc.keyHeads)},
                                  {"valueHeads", number("v", desc.valueHeads)},
                                  {"headSize", number("d", desc.headSize)},
                                  {"rows", number("r", desc.rows)},
                                  {"rowBlock", number("b", desc.rowBlock)},
                                  {"grouped", flag("grouped", desc.grouped)},
                                  {"logRate", flag("log", desc.logRate)}});
  kernel.input("x", "const float*").input("decay", "const float*").input("beta", "const float*");
  kernel.input("rate", "const float*").input("dt", "const float*").input("positions", "const int*");
  kernel.input("slots", "const int*").inOut("state", "float*").output("y", "float*");
  return {kernel.build("deltaRule", kDeltaThreads),
          {desc.valueHeads * desc.headSize / kDeltaColumns, divideUp(desc.rows, desc.rowBlock), 1},
          workOf(desc)};
}

} // namespace llcuda::codegen
