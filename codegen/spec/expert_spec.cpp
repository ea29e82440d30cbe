// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/expert_spec.h"

#include <algorithm>
#include <cassert>

#include "codegen/pack/pack.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxExperts = 1024, kMaxChoices = 32, kMaxSize = 1u << 20, kMaxGrid = 65535, kSumThreads = 128;

Result<void> checkChoices(const char* op, uint32_t rows, uint32_t experts, uint32_t choices) {
  if (experts == 0 || experts > kMaxExperts || choices == 0 || choices > kMaxChoices || choices > experts)
    return unsupported(op, " of ", choices, " of ", experts, " experts; kernels exist for 1 to ", kMaxChoices,
                       " of 1 to ", kMaxExperts);
  if (rows == 0 || uint64_t{rows} * choices > kMaxGrid)
    return unsupported(op, " of ", rows, " rows; kernels exist for 1 to ", kMaxGrid / choices);
  return {};
}

} // namespace

Result<void> checkRoute(const RouteDesc& desc) {
  return checkChoices("route", desc.rows, desc.experts, desc.choices);
}

LaunchSpec routeLaunch(const RouteDesc& desc) {
  assert(checkRoute(desc));
  KernelBuilder kernel("route", "codegen/kernels/expert/route.cuh");
  kernel.group("RouteShape", {{"experts", number("e", desc.experts)},
                              {"choices", number("c", desc.choices)},
                              {"normalized", flag("norm", desc.normalized)}});
  kernel.input("logits", "const float*").output("experts", "int*").output("weights", "float*");
  return {kernel.build("route", 32), {desc.rows, 1, 1}, workOf(desc)};
}

Result<void> checkExpertLinear(const ExpertLinearDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkChoices("expert_linear", desc.rows, desc.experts, desc.choices));
  if (const unsigned block = weightBlockBytes(desc.layout).columns;
      desc.inputs == 0 || desc.inputs % block != 0 || desc.inputs % kWeightBlock != 0 || desc.inputs > kMaxSize)
    return unsupported("expert_linear of ", desc.inputs, " inputs; kernels of ", pack::layoutName(desc.layout),
                       " exist for multiples of ", std::max(block, kWeightBlock), " up to ", kMaxSize);
  if (desc.outputs == 0 || desc.outputs % kWeightTileRows != 0 ||
      uint64_t{desc.outputs} * desc.experts >= uint64_t{1} << 31 || desc.outputs > kMaxSize)
    return unsupported("expert_linear of ", desc.outputs, " outputs of each of ", desc.experts,
                       " experts; kernels exist for multiples of ", kWeightTileRows, " up to ", kMaxSize);
  return {};
}

LaunchSpec expertLinearLaunch(const ExpertLinearDesc& desc, const TileTable& tiles) {
  assert(checkExpertLinear(desc));
  const bool int8 = weightReadsInt8Rows(desc.layout);
  const DecodeTileRequest request = {.layout = desc.layout,
                                     .inputRows = 1,
                                     .columns = desc.inputs,
                                     .outputs = desc.outputs * desc.choices,
                                     .weights = 1};
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelBuilder kernel("expert_linear", "codegen/kernels/expert/expert_linear.cuh");
  kernel.constants({layout(desc.layout)});
  kernel.group("ExpertShape", {{"experts", number("e", desc.experts)},
                               {"choices", number("c", desc.choices)},
                               {"n", number("n", desc.outputs)},
                               {"k", number("k", desc.inputs)},
                               {"each", flag("each", desc.each)}});
  kernel.group("DecodeCut", tile.members());
  kernel.constants({flag("bias", desc.bias)});
  kernel.input("weight", "const uint8_t*").inputRows(!int8, int8).input("experts", "const int*");
  kernel.input("bias", "const float*", desc.bias).output("y", "float*");
  return {kernel.build("expertLinear", tile.threads(request), tile.minBlocksPerSm),
          {desc.outputs / kWeightTileRows, desc.rows * desc.choices, 1},
          workOf(desc),
          request};
}

Result<void> checkExpertSum(const ExpertSumDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkChoices("expert_sum", desc.rows, kMaxExperts, desc.choices));
  if (desc.columns == 0 || desc.columns % 4 != 0 || desc.columns > kMaxSize)
    return unsupported("expert_sum of ", desc.columns, " columns; kernels exist for multiples of 4 up to ", kMaxSize);
  return {};
}

LaunchSpec expertSumLaunch(const ExpertSumDesc& desc) {
  assert(checkExpertSum(desc));
  KernelBuilder kernel("expert_sum", "codegen/kernels/expert/expert_sum.cuh");
  kernel.group("ExpertSumShape", {{"choices", number("j", desc.choices)},
                                  {"columns", number("c", desc.columns)},
                                  {"threads", number("t", kSumThreads)}});
  kernel.input("x", "const float*").input("weights", "const float*").output("y", "float*");
  return {
      kernel.build("expertSum", kSumThreads), {divideUp(desc.columns / 4, kSumThreads), desc.rows, 1}, workOf(desc)};
}

} // namespace llcuda::codegen
