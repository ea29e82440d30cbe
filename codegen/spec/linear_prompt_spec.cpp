// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_prompt_spec.h"

#include "codegen/pack/pack.h"
#include "codegen/spec/call_builder.h"
#include "codegen/spec/prompt_tile.h"
#include "codegen/spec/source_text.h"

namespace llcuda::codegen {
namespace {

std::string formatOf(WeightLayout layout) {
  return std::string(pack::layoutFormat(layout));
}

std::string shapeOf(uint32_t rows, uint32_t inputs) {
  return "r" + std::to_string(rows) + "_k" + std::to_string(inputs);
}

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

void setTile(KernelSpec& kernel, const PromptTile& tile) {
  kernel.tile = tile.name();
  kernel.threads = tile.threads();
  kernel.minBlocksPerSm = tile.minBlocksPerSm;
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
  KernelSpec kernel;
  kernel.op = "linear_prompt";
  kernel.format = formatOf(desc.layout);
  kernel.shape = shapeOf(desc.rows, desc.inputs) + "_n" + std::to_string(desc.outputs) + (desc.bias ? "_bias" : "") +
                 (desc.residual ? "_residual" : "");
  kernel.header = "codegen/kernels/linear/linear_prompt.cuh";
  setTile(kernel, tile);
  CallBuilder call(kernel);
  call.value(listText(desc.rows, desc.outputs));
  call.input("weight", "const uint8_t*");
  call.inputRows(!int8, int8);
  call.input("positions", "const int*");
  call.input("bias", "const float*", desc.bias);
  call.input("residual", "const float*", desc.residual);
  call.output("y", "float*");
  call.call("linearPrompt<" + listText(layoutText(desc.layout), desc.inputs, tile.text()) + ">");
  return {kernel, {divideUp(desc.rows, tile.rows), divideUp(desc.outputs, tile.columns), 1}, request};
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
  KernelSpec kernel;
  kernel.op = "qkv_prompt";
  kernel.format = formatOf(desc.qLayout) + "_" + formatOf(desc.kLayout) + "_" + formatOf(desc.vLayout);
  kernel.shape = shapeOf(desc.rows, desc.inputs) + "_q" + std::to_string(desc.qOutputs) + "_kv" +
                 std::to_string(desc.kvOutputs) + (desc.bias ? "_bias" : "");
  kernel.header = "codegen/kernels/linear/qkv_prompt.cuh";
  setTile(kernel, tile);
  CallBuilder call(kernel);
  call.value(listText(desc.rows, desc.qOutputs, desc.kvOutputs));
  call.input("q_weight", "const uint8_t*");
  call.input("k_weight", "const uint8_t*");
  call.input("v_weight", "const uint8_t*");
  call.inputRows(anyF32, int8[0] || int8[1] || int8[2]);
  call.input("positions", "const int*");
  call.input("q_bias", "const float*", desc.bias);
  call.input("k_bias", "const float*", desc.bias);
  call.input("v_bias", "const float*", desc.bias);
  call.output("q", "float*");
  call.output("k", "float*");
  call.output("v", "float*");
  call.call(
      "qkvPrompt<" +
      listText(layoutText(desc.qLayout), layoutText(desc.kLayout), layoutText(desc.vLayout), desc.inputs, tile.text()) +
      ">");
  const uint32_t across = divideUp(desc.qOutputs, tile.columns) + 2 * divideUp(desc.kvOutputs, tile.columns);
  return {kernel, {divideUp(desc.rows, tile.rows), across, 1}, request};
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
  const bool int8 = weightReadsInt8Rows(desc.layout), silu = desc.activation == Activation::kSilu;
  KernelSpec kernel;
  kernel.op = "glu_linear_prompt";
  kernel.format = formatOf(desc.layout);
  kernel.shape = shapeOf(desc.rows, desc.inputs) + "_n" + std::to_string(desc.outputs) +
                 (silu ? "_silu" : "_gelu_tanh") + (desc.f32Rows ? "_f32" : "") + (desc.int8Rows ? "_q8" : "");
  kernel.header = "codegen/kernels/glu/glu_linear_prompt.cuh";
  setTile(kernel, tile);
  CallBuilder call(kernel);
  call.value(listText(desc.rows, desc.outputs));
  call.input("gate_weight", "const uint8_t*");
  call.input("up_weight", "const uint8_t*");
  call.inputRows(!int8, int8);
  call.input("positions", "const int*");
  call.outputRows("y", desc.f32Rows, desc.int8Rows);
  call.call("gluLinearPrompt<" +
            listText(layoutText(desc.layout), desc.inputs, tile.text(), activationText(desc.activation),
                     desc.f32Rows ? "true" : "false", desc.int8Rows ? "true" : "false") +
            ">");
  return {kernel, {divideUp(desc.rows, tile.rows), divideUp(2 * desc.outputs, tile.columns), 1}, request};
}

} // namespace llcuda::codegen
