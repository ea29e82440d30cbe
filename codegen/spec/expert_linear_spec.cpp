// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cassert>

#include "codegen/pack/pack.h"
#include "codegen/spec/expert_check.h"
#include "codegen/spec/expert_spec.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxSize = 1u << 20;

/// What both descriptions have, of one layout.
template <typename Desc>
Result<void> checkProduct(const char* op, const Desc& desc, WeightLayout layout) {
  LLCUDA_RETURN_IF_ERROR(checkChoices(op, desc.rows, desc.experts, desc.choices));
  if (const unsigned block = weightBlockBytes(layout).columns;
      desc.inputs == 0 || desc.inputs % block != 0 || desc.inputs % kWeightBlock != 0 || desc.inputs > kMaxSize)
    return unsupported(op, " of ", desc.inputs, " inputs; kernels of ", pack::layoutName(layout),
                       " exist for multiples of ", std::max(block, kWeightBlock), " up to ", kMaxSize);
  if (desc.outputs == 0 || desc.outputs % kWeightTileRows != 0 ||
      uint64_t{desc.outputs} * desc.experts >= uint64_t{1} << 31 || desc.outputs > kMaxSize)
    return unsupported(op, " of ", desc.outputs, " outputs of each of ", desc.experts,
                       " experts; kernels exist for multiples of ", kWeightTileRows, " up to ", kMaxSize);
  if (desc.tileRows == 0)
    return {};
  LLCUDA_RETURN_IF_ERROR(checkSortChoices({desc.rows, desc.experts, desc.choices, desc.tileRows}));
  if (!weightTakesTensorCores(layout))
    return unsupported(op, " of sorted choices with ", pack::layoutName(layout),
                       ", which tensor cores do not multiply");
  return {};
}

template <typename Desc>
void addExpertShape(KernelBuilder& kernel, const Desc& desc, bool each) {
  kernel.group("ExpertShape", {{"experts", number("e", desc.experts)},
                               {"choices", number("c", desc.choices)},
                               {"n", number("n", desc.outputs)},
                               {"k", number("k", desc.inputs)},
                               {"each", flag("each", each)}});
}

/// As a linear's of the same layouts.
RowsRead rowsReadBy(std::vector<LinearPart> parts, uint32_t tileRows) {
  LinearDesc desc;
  desc.kernels = tileRows == 0 ? LinearKernels::kFewRows : LinearKernels::kManyRows;
  desc.parts = std::move(parts);
  return rowsRead(desc);
}

/// Tiles of many blocks: warps of 32 columns each.
PromptTile tileOf(WeightLayout layout, uint32_t tileRows) {
  const uint32_t blocks = tileRows <= 16 ? 4 : tileRows <= 32 || !weightHasInt8Codes(layout) ? 3 : 2;
  return {tileRows, 128, 1, 4, 1, blocks};
}

template <typename Desc>
uint32_t tilesOf(const Desc& desc) {
  return mostExpertTiles(desc.rows, desc.experts, desc.choices, desc.tileRows);
}

/// Rows, and what says which experts are theirs.
template <typename Desc>
void addSortedInput(KernelBuilder& kernel, const Desc& desc) {
  kernel.constants({number("tiles", tilesOf(desc))});
  const RowsRead rows = rowsRead(desc);
  kernel.inputRows(rows.f32, rows.int8).inputHalfRows(rows.halves).input("tile_experts", "const int*");
}

LaunchSpec fewRowsLaunch(const ExpertLinearDesc& desc, const TileTable& tiles) {
  const RowsRead rows = rowsRead(desc);
  const DecodeTileRequest request = {.layout = desc.layout,
                                     .inputRows = 1,
                                     .columns = desc.inputs,
                                     .outputs = desc.outputs * desc.choices,
                                     .weights = 1};
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelBuilder kernel("expert_linear", "codegen/kernels/expert/expert_linear.cuh");
  kernel.constants({layout(desc.layout)});
  addExpertShape(kernel, desc, desc.each);
  kernel.group("DecodeCut", tile.members());
  kernel.constants({flag("bias", desc.bias)});
  kernel.input("weight", "const uint8_t*").inputRows(rows.f32, rows.int8).input("experts", "const int*");
  kernel.input("bias", "const float*", desc.bias).output("y", "float*");
  return {kernel.build("expertLinear", tile.threads(request), tile.minBlocksPerSm),
          {desc.outputs / kWeightTileRows, desc.rows * desc.choices, 1},
          workOf(desc),
          request};
}

LaunchSpec manyRowsLaunch(const ExpertLinearDesc& desc) {
  const PromptTile tile = tileOf(desc.layout, desc.tileRows);
  KernelBuilder kernel("expert_linear_prompt", "codegen/kernels/expert/expert_linear_prompt.cuh");
  kernel.constants({layout(desc.layout)});
  addExpertShape(kernel, desc, false);
  kernel.group("PromptCut", tile.members());
  kernel.input("weight", "const uint8_t*");
  addSortedInput(kernel, desc);
  kernel.input("sorted", "const int*").input("bias", "const float*", desc.bias).output("y", "float*");
  return {kernel.build("expertLinearPrompt", tile.threads(), tile.minBlocksPerSm),
          {tilesOf(desc), divideUp(desc.outputs, tile.columns), 1},
          workOf(desc)};
}

void addGatedOutput(KernelBuilder& kernel, const ExpertGluDesc& desc) {
  kernel.input("gate_bias", "const float*", desc.bias).input("up_bias", "const float*", desc.bias);
  kernel.outputRows("y", desc.f32Rows, desc.int8Rows);
}

LaunchSpec fewRowsLaunch(const ExpertGluDesc& desc, const TileTable& tiles) {
  const RowsRead rows = rowsRead(desc);
  const auto bytes = [](WeightLayout layout) {
    const WeightBlockBytes block = weightBlockBytes(layout);
    return (block.codes + block.high) * kWeightBlock / block.columns;
  };
  const DecodeTileRequest request = {.layout = bytes(desc.up) > bytes(desc.gate) ? desc.up : desc.gate,
                                     .inputRows = 1,
                                     .columns = desc.inputs,
                                     .outputs = desc.outputs * desc.choices,
                                     .weights = 2};
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelBuilder kernel("expert_glu_linear", "codegen/kernels/expert/expert_glu_linear.cuh");
  kernel.group("GluWeights", {{"gate", layout(desc.gate)}, {"up", layout(desc.up)}});
  addExpertShape(kernel, desc, false);
  kernel.group("DecodeCut", tile.members());
  kernel.constants({activation(desc.activation)});
  kernel.group("RowForms", rowForms(desc.f32Rows, desc.int8Rows, RowOrder::kRows));
  kernel.constants({flag("bias", desc.bias)});
  kernel.input("gate_weight", "const uint8_t*").input("up_weight", "const uint8_t*");
  kernel.inputRows(rows.f32, rows.int8).input("experts", "const int*");
  addGatedOutput(kernel, desc);
  return {kernel.build("expertGluLinear", tile.threads(request), tile.minBlocksPerSm),
          {desc.outputs / kWeightTileRows, desc.rows * desc.choices, 1},
          workOf(desc),
          request};
}

LaunchSpec manyRowsLaunch(const ExpertGluDesc& desc) {
  const PromptTile tile = tileOf(desc.gate, desc.tileRows);
  KernelBuilder kernel("expert_glu_prompt", "codegen/kernels/expert/expert_glu_prompt.cuh");
  kernel.constants({layout(desc.gate)});
  addExpertShape(kernel, desc, false);
  kernel.group("PromptCut", tile.members());
  kernel.input("gate_weight", "const uint8_t*").input("up_weight", "const uint8_t*");
  addSortedInput(kernel, desc);
  kernel.constants({activation(desc.activation)});
  kernel.group("RowForms", rowForms(desc.f32Rows, desc.int8Rows, RowOrder::kFragments));
  addGatedOutput(kernel, desc);
  return {kernel.build("expertGluPrompt", tile.threads(), tile.minBlocksPerSm),
          {tilesOf(desc), divideUp(desc.outputs, tile.columns / 2), 1},
          workOf(desc)};
}

} // namespace

RowsRead rowsRead(const ExpertLinearDesc& desc) {
  return rowsReadBy({{desc.layout}}, desc.tileRows);
}

RowsRead rowsRead(const ExpertGluDesc& desc) {
  return rowsReadBy({{desc.gate}, {desc.up}}, desc.tileRows);
}

Result<void> checkExpertLinear(const ExpertLinearDesc& desc) {
  return checkProduct("expert_linear", desc, desc.layout);
}

LaunchSpec expertLinearLaunch(const ExpertLinearDesc& desc, const TileTable& tiles) {
  assert(checkExpertLinear(desc));
  return desc.tileRows == 0 ? fewRowsLaunch(desc, tiles) : manyRowsLaunch(desc);
}

Result<void> checkExpertGlu(const ExpertGluDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkProduct("expert_glu_linear", desc, desc.gate));
  LLCUDA_RETURN_IF_ERROR(checkProduct("expert_glu_linear", desc, desc.up));
  if (desc.tileRows != 0 && desc.gate != desc.up)
    return unsupported("expert_glu_linear of sorted choices with ", pack::layoutName(desc.gate), " and ",
                       pack::layoutName(desc.up));
  if (!desc.f32Rows && !desc.int8Rows)
    return unsupported("expert_glu_linear that emits no rows");
  const uint64_t rows = desc.tileRows == 0 ? uint64_t{desc.rows} * desc.choices : tilesOf(desc) * desc.tileRows;
  if (rows * desc.outputs >= uint64_t{1} << 31)
    return unsupported("expert_glu_linear of ", rows, " rows of ", desc.outputs, " outputs: more than 2^31 elements");
  return {};
}

LaunchSpec expertGluLaunch(const ExpertGluDesc& desc, const TileTable& tiles) {
  assert(checkExpertGlu(desc));
  return desc.tileRows == 0 ? fewRowsLaunch(desc, tiles) : manyRowsLaunch(desc);
}

} // namespace llcuda::codegen
