// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_prompt_spec.h"

#include "codegen/pack/pack.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"
#include "codegen/spec/prompt_tile.h"

namespace llcuda::codegen {
namespace {

Result<void> checkSizes(const char* op, WeightLayout layout, uint32_t rows, uint32_t inputs, uint32_t outputs) {
  if (rows == 0 || outputs == 0)
    return unsupported(op, " of ", rows, " rows and ", outputs, " outputs");
  if (const unsigned block = weightBlockBytes(layout).columns; inputs == 0 || inputs % block != 0)
    return unsupported(op, " of ", inputs, " inputs; kernels of ", pack::layoutName(layout), " exist for multiples of ",
                       block);
  return {};
}

Result<void> refuseF32(const char* op, WeightLayout layout) {
  if (!weightTakesTensorCores(layout))
    return unsupported(op, " of ", pack::layoutName(layout), "; its linears have launches of their own");
  return {};
}

/// Of a LinearPromptDesc or a GluLinearPromptDesc.
template <typename Desc>
void addShape(KernelBuilder& kernel, const Desc& desc) {
  kernel.group("LinearShape",
               {{"m", number("m", desc.rows)}, {"n", number("n", desc.outputs)}, {"k", number("k", desc.inputs)}});
}

} // namespace

Result<void> checkLinearPrompt(const LinearPromptDesc& desc) {
  return checkSizes("linear_prompt", desc.layout, desc.rows, desc.inputs, desc.outputs);
}

LaunchSpec linearPromptLaunch(const LinearPromptDesc& desc, const TileTable& tiles) {
  assert(checkLinearPrompt(desc));
  const PromptTileRequest request = {
      .layouts = {desc.layout}, .rows = desc.rows, .inputs = desc.inputs, .columns = desc.outputs};
  const PromptTile tile = choosePromptTile(request, tiles);
  const bool int8 = weightReadsInt8Rows(desc.layout);
  KernelBuilder kernel("linear_prompt", "codegen/kernels/linear/linear_prompt.cuh");
  kernel.constants({layout(desc.layout)});
  addShape(kernel, desc);
  kernel.group("PromptCut", tile.members());
  kernel.input("weight", "const uint8_t*");
  kernel.inputRows(!int8, int8).input("positions", "const int*");
  kernel.input("bias", "const float*", desc.bias).input("residual", "const float*", desc.residual);
  kernel.output("y", "float*");
  return {kernel.build("linearPrompt", tile.threads(), tile.minBlocksPerSm),
          {divideUp(desc.rows, tile.rows), divideUp(desc.outputs, tile.columns), 1},
          workOf(desc),
          request};
}

Result<void> checkQkvPrompt(const QkvLinearDesc& desc) {
  for (const WeightLayout layout : {desc.qLayout, desc.kLayout, desc.vLayout}) {
    LLCUDA_RETURN_IF_ERROR(checkSizes("qkv_prompt", layout, desc.rows, desc.inputs, desc.qOutputs));
    LLCUDA_RETURN_IF_ERROR(refuseF32("qkv_prompt", layout));
  }
  return checkSizes("qkv_prompt", desc.kLayout, desc.rows, desc.inputs, desc.kvOutputs);
}

LaunchSpec qkvPromptLaunch(const QkvLinearDesc& desc, const TileTable& tiles) {
  assert(checkQkvPrompt(desc));
  const bool int8[] = {weightReadsInt8Rows(desc.qLayout), weightReadsInt8Rows(desc.kLayout),
                       weightReadsInt8Rows(desc.vLayout)};
  const bool anyF32 = !int8[0] || !int8[1] || !int8[2];
  const PromptTileRequest request = {.layouts = {desc.qLayout, desc.kLayout, desc.vLayout},
                                     .rows = desc.rows,
                                     .inputs = desc.inputs,
                                     .columns = desc.qOutputs + 2 * desc.kvOutputs};
  const PromptTile tile = choosePromptTile(request, tiles);
  KernelBuilder kernel("qkv_prompt", "codegen/kernels/linear/qkv_prompt.cuh");
  kernel.group("QkvWeights", {{"q", layout(desc.qLayout)}, {"k", layout(desc.kLayout)}, {"v", layout(desc.vLayout)}});
  kernel.group("QkvLinearShape", {{"m", number("m", desc.rows)},
                                  {"qN", number("n", desc.qOutputs)},
                                  {"kvN", number("kv", desc.kvOutputs)},
                                  {"k", number("k", desc.inputs)}});
  kernel.group("PromptCut", tile.members());
  for (const char* name : {"q_weight", "k_weight", "v_weight"}) kernel.input(name, "const uint8_t*");
  kernel.inputRows(anyF32, int8[0] || int8[1] || int8[2]).input("positions", "const int*");
  for (const char* name : {"q_bias", "k_bias", "v_bias"}) kernel.input(name, "const float*", desc.bias);
  for (const char* name : {"q", "k", "v"}) kernel.output(name, "float*");
  const uint32_t across = divideUp(desc.qOutputs, tile.columns) + 2 * divideUp(desc.kvOutputs, tile.columns);
  return {kernel.build("qkvPrompt", tile.threads(), tile.minBlocksPerSm),
          {divideUp(desc.rows, tile.rows), across, 1},
          promptWorkOf(desc),
          request};
}

Result<void> checkGluLinearPrompt(const GluLinearPromptDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkSizes("glu_linear_prompt", desc.layout, desc.rows, desc.inputs, desc.outputs));
  LLCUDA_RETURN_IF_ERROR(refuseF32("glu_linear_prompt", desc.layout));
  if (desc.outputs % 32 != 0)
    return unsupported("glu_linear_prompt of ", desc.outputs, " outputs; kernels exist for multiples of 32");
  if (!desc.f32Rows && !desc.int8Rows)
    return unsupported("glu_linear_prompt that emits no rows");
  return {};
}

LaunchSpec gluLinearPromptLaunch(const GluLinearPromptDesc& desc, const TileTable& tiles) {
  assert(checkGluLinearPrompt(desc));
  const PromptTileRequest request = {
      .layouts = {desc.layout}, .rows = desc.rows, .inputs = desc.inputs, .columns = 2 * desc.outputs, .gated = true};
  const PromptTile tile = choosePromptTile(request, tiles);
  const bool int8 = weightReadsInt8Rows(desc.layout);
  KernelBuilder kernel("glu_linear_prompt", "codegen/kernels/glu/glu_linear_prompt.cuh");
  kernel.constants({layout(desc.layout)});
  addShape(kernel, desc);
  kernel.group("PromptCut", tile.members());
  kernel.constants({activation(desc.activation)});
  kernel.group("RowForms", {{"f32", flag("f32", desc.f32Rows)}, {"int8", flag("q8", desc.int8Rows)}});
  kernel.input("gate_weight", "const uint8_t*").input("up_weight", "const uint8_t*");
  kernel.inputRows(!int8, int8).input("positions", "const int*").outputRows("y", desc.f32Rows, desc.int8Rows);
  return {kernel.build("gluLinearPrompt", tile.threads(), tile.minBlocksPerSm),
          {divideUp(desc.rows, tile.rows), divideUp(2 * desc.outputs, tile.columns), 1},
          workOf(desc),
          request};
}

} // namespace llcuda::codegen
