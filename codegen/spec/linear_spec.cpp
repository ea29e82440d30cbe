// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_spec.h"

#include <algorithm>
#include <cassert>

#include "codegen/pack/pack.h"
#include "codegen/spec/decode_tile.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxSize = 1u << 20;

Result<void> checkSizes(const char* op, std::initializer_list<WeightLayout> layouts, uint32_t rows, uint32_t inputs,
                        uint32_t outputs) {
  if (rows == 0 || rows > kMaxDecodeRows)
    return unsupported(op, " of ", rows, " rows; kernels exist for 1 to ", kMaxDecodeRows);
  if (inputs == 0 || inputs % kWeightBlock != 0 || inputs > kMaxSize)
    return unsupported(op, " of ", inputs, " inputs; kernels exist for multiples of 32 up to ", kMaxSize);
  if (outputs == 0 || outputs > kMaxSize)
    return unsupported(op, " of ", outputs, " outputs; kernels exist for 1 to ", kMaxSize);
  for (WeightLayout layout : layouts)
    if (const unsigned block = weightBlockBytes(layout).columns; inputs % block != 0)
      return unsupported(op, " of ", inputs, " inputs; kernels of ", pack::layoutName(layout),
                         " exist for multiples of ", block);
  return {};
}

/// Of a LinearDesc or a LinearResidualNormDesc.
template <typename Desc>
DecodeTileRequest requestOfOneWeight(const Desc& desc) {
  return {.layout = desc.layout,
          .inputRows = desc.rows,
          .columns = desc.inputs,
          .outputs = desc.outputs,
          .smallestPart = desc.outputs};
}

template <typename Desc>
void addShape(KernelBuilder& kernel, const Desc& desc) {
  kernel.group("LinearShape",
               {{"m", number("m", desc.rows)}, {"n", number("n", desc.outputs)}, {"k", number("k", desc.inputs)}});
}

template <typename Desc>
void addForms(KernelBuilder& kernel, const Desc& desc) {
  kernel.group("RowForms", {{"f32", flag("f32", desc.f32Rows)}, {"int8", flag("q8", desc.int8Rows)}});
}

template <typename Desc>
void addQkvWeights(KernelBuilder& kernel, const Desc& desc) {
  kernel.group("QkvWeights", {{"q", layout(desc.qLayout)}, {"k", layout(desc.kLayout)}, {"v", layout(desc.vLayout)}});
}

void addParts(KernelBuilder& kernel, bool bias, bool residual = false, bool cap = false) {
  kernel.group("LinearParts",
               {{"bias", flag("bias", bias)}, {"residual", flag("residual", residual)}, {"cap", flag("cap", cap)}});
}

/// Input rows as the layouts read them.
void addInputRows(KernelBuilder& kernel, std::initializer_list<WeightLayout> layouts) {
  kernel.inputRows(!std::ranges::all_of(layouts, weightReadsInt8Rows),
                   std::ranges::any_of(layouts, weightReadsInt8Rows));
}

/// Weights, input rows and biases of a launch over q, k and v.
template <typename Desc>
void addQkvInputs(KernelBuilder& kernel, const Desc& desc) {
  for (const char* name : {"q_weight", "k_weight", "v_weight"}) kernel.input(name, "const uint8_t*");
  addInputRows(kernel, {desc.qLayout, desc.kLayout, desc.vLayout});
  for (const char* name : {"q_bias", "k_bias", "v_bias"}) kernel.input(name, "const float*", desc.bias);
}

} // namespace

Result<void> checkLinear(const LinearDesc& desc) {
  return checkSizes("linear", {desc.layout}, desc.rows, desc.inputs, desc.outputs);
}

LaunchSpec linearLaunch(const LinearDesc& desc, const TileTable& tiles) {
  assert(checkLinear(desc));
  const DecodeTileRequest request = requestOfOneWeight(desc);
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  const bool capped = desc.softcap != 0;
  KernelBuilder kernel("linear", "codegen/kernels/linear/linear.cuh");
  kernel.constants({layout(desc.layout)});
  addShape(kernel, desc);
  kernel.group("DecodeCut", tile.members(request));
  addParts(kernel, desc.bias, desc.residual, capped);
  kernel.input("weight", "const uint8_t*");
  addInputRows(kernel, {desc.layout});
  kernel.input("bias", "const float*", desc.bias).input("residual", "const float*", desc.residual);
  kernel.output("y", "float*");
  if (capped)
    kernel.value(real("c", desc.softcap));
  return {kernel.build("linear", tile.threads(), tile.minBlocksPerSm),
          {divideUp(desc.outputs, tile.blockRows(request)), 1, 1},
          workOf(desc),
          request};
}

Result<void> checkLinearResidualNorm(const LinearResidualNormDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkSizes("linear_residual_norm", {desc.layout}, desc.rows, desc.inputs, desc.outputs));
  if (desc.outputs % 32 != 0 || desc.outputs > 16384)
    return unsupported("linear_residual_norm of ", desc.outputs,
                       " outputs; kernels exist for multiples of 32 up to 16384");
  if (!desc.f32Rows && !desc.int8Rows)
    return unsupported("linear_residual_norm that emits no normed rows");
  return {};
}

LaunchSpec linearResidualNormLaunch(const LinearResidualNormDesc& desc, const TileTable& tiles) {
  assert(checkLinearResidualNorm(desc));
  const DecodeTileRequest request = requestOfOneWeight(desc);
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelBuilder kernel("linear_residual_norm", "codegen/kernels/linear/linear_residual_norm.cuh");
  kernel.constants({layout(desc.layout)});
  addShape(kernel, desc);
  kernel.group("DecodeCut", tile.members(request));
  kernel.group("ResidualNormParts", {{"bias", flag("bias", desc.bias)}, {"postNorm", flag("post", desc.postNorm)}});
  addForms(kernel, desc);
  kernel.input("weight", "const uint8_t*");
  addInputRows(kernel, {desc.layout});
  kernel.input("bias", "const float*", desc.bias).input("residual", "const float*");
  kernel.input("post_scale", "const float*", desc.postNorm).input("norm_scale", "const float*");
  kernel.inOut("arrivals", "uint32_t*").output("product", "float*", desc.postNorm).output("y", "float*");
  kernel.outputRows("normed", desc.f32Rows, desc.int8Rows).value(real("e", desc.eps));
  return {kernel.build("linearResidualNorm", tile.threads(), tile.minBlocksPerSm),
          {divideUp(desc.outputs, tile.blockRows(request)), 1, 1},
          workOf(desc),
          request};
}

Result<void> checkGluLinear(const GluLinearDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(
      checkSizes("glu_linear", {desc.gateLayout, desc.upLayout}, desc.rows, desc.inputs, desc.outputs));
  if (desc.int8Rows && desc.outputs % 32 != 0)
    return unsupported("glu_linear of ", desc.outputs, " outputs as int8 rows; kernels exist for multiples of 32");
  if (!desc.f32Rows && !desc.int8Rows)
    return unsupported("glu_linear that emits no rows");
  return {};
}

LaunchSpec gluLinearLaunch(const GluLinearDesc& desc, const TileTable& tiles) {
  assert(checkGluLinear(desc));
  const DecodeTileRequest request = {.layout = desc.gateLayout,
                                     .inputRows = desc.rows,
                                     .columns = desc.inputs,
                                     .outputs = desc.outputs,
                                     .smallestPart = desc.outputs,
                                     .weights = 2,
                                     .blockRowsMultiple = desc.int8Rows ? 32u : 1u};
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelBuilder kernel("glu_linear", "codegen/kernels/glu/glu_linear.cuh");
  kernel.group("GluWeights", {{"gate", layout(desc.gateLayout)}, {"up", layout(desc.upLayout)}});
  addShape(kernel, desc);
  kernel.group("DecodeCut", tile.members(request));
  kernel.constants({activation(desc.activation)});
  addForms(kernel, desc);
  kernel.input("gate_weight", "const uint8_t*").input("up_weight", "const uint8_t*");
  addInputRows(kernel, {desc.gateLayout, desc.upLayout});
  kernel.outputRows("y", desc.f32Rows, desc.int8Rows);
  return {kernel.build("gluLinear", tile.threads(), tile.minBlocksPerSm),
          {divideUp(desc.outputs, tile.blockRows(request)), 1, 1},
          workOf(desc),
          request};
}

Result<void> checkQkvLinear(const QkvLinearDesc& desc) {
  if (desc.kvOutputs == 0)
    return unsupported("qkv_linear without keys and values");
  return checkSizes("qkv_linear", {desc.qLayout, desc.kLayout, desc.vLayout}, desc.rows, desc.inputs,
                    std::max(desc.qOutputs, desc.kvOutputs));
}

LaunchSpec qkvLinearLaunch(const QkvLinearDesc& desc, const TileTable& tiles) {
  assert(checkQkvLinear(desc));
  const DecodeTileRequest request = {.layout = desc.qLayout,
                                     .inputRows = desc.rows,
                                     .columns = desc.inputs,
                                     .outputs = desc.qOutputs + 2 * desc.kvOutputs,
                                     .smallestPart = std::min(desc.qOutputs, desc.kvOutputs)};
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelBuilder kernel("qkv_linear", "codegen/kernels/linear/qkv_linear.cuh");
  addQkvWeights(kernel, desc);
  kernel.group("QkvLinearShape", {{"m", number("m", desc.rows)},
                                  {"qN", number("n", desc.qOutputs)},
                                  {"kvN", number("kv", desc.kvOutputs)},
                                  {"k", number("k", desc.inputs)}});
  kernel.group("DecodeCut", tile.members(request));
  addParts(kernel, desc.bias);
  addQkvInputs(kernel, desc);
  for (const char* name : {"q", "k", "v"}) kernel.output(name, "float*");
  return {
      kernel.build("qkvLinear", tile.threads(), tile.minBlocksPerSm),
      {divideUp(desc.qOutputs, tile.blockRows(request)) + 2 * divideUp(desc.kvOutputs, tile.blockRows(request)), 1, 1},
      decodeWorkOf(desc),
      request};
}

Result<void> checkQkvRopeCache(const QkvRopeCacheDesc& desc) {
  if (desc.heads == 0 || desc.kvHeads == 0 || desc.headSize == 0 || desc.headSize % 8 != 0 || desc.headSize > 1024)
    return unsupported("qkv_rope_cache of ", desc.heads, " heads, ", desc.kvHeads, " kv heads of ", desc.headSize,
                       "; kernels exist for head sizes of multiples of 8 up to 1024");
  LLCUDA_RETURN_IF_ERROR(checkSizes("qkv_rope_cache", {desc.qLayout, desc.kLayout, desc.vLayout}, desc.rows,
                                    desc.inputs, std::max(desc.heads, desc.kvHeads) * desc.headSize));
  if (desc.dimensions % 2 != 0 || desc.dimensions > desc.headSize)
    return unsupported("rope over ", desc.dimensions, " elements of heads of ", desc.headSize);
  return checkKvCache(desc.cache, desc.headSize);
}

LaunchSpec qkvRopeCacheLaunch(const QkvRopeCacheDesc& desc, const TileTable& tiles) {
  assert(checkQkvRopeCache(desc));
  const uint32_t qRows = desc.heads * desc.headSize, kvRows = desc.kvHeads * desc.headSize;
  const DecodeTileRequest request = {.layout = desc.qLayout,
                                     .inputRows = desc.rows,
                                     .columns = desc.inputs,
                                     .outputs = qRows + 2 * kvRows,
                                     .smallestPart = std::min(qRows, kvRows),
                                     .rowsMultiple = 2,
                                     .blockRowsMultiple = desc.cache.block()};
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelBuilder kernel("qkv_rope_cache", "codegen/kernels/linear/qkv_rope_cache.cuh");
  addQkvWeights(kernel, desc);
  kernel.group("QkvRopeShape", {{"m", number("m", desc.rows)},
                                {"k", number("k", desc.inputs)},
                                {"heads", number("h", desc.heads)},
                                {"kvHeads", number("g", desc.kvHeads)},
                                {"headSize", number("d", desc.headSize)},
                                {"dimensions", number("turn", desc.dimensions)},
                                {"tablePages", number("p", desc.cache.tablePages())},
                                {"keyType", kvType(desc.cache.keyType)},
                                {"valueType", kvType(desc.cache.valueType)}});
  kernel.group("DecodeCut", tile.members(request));
  addParts(kernel, desc.bias);
  addQkvInputs(kernel, desc);
  kernel.input("rope_table", "const float2*", desc.dimensions != 0);
  kernel.input("positions", "const int*").input("slots", "const int*");
  kernel.input("block_table", "const int*");
  kernel.output("q", "float*").inOut("k_pages", "uint8_t*").inOut("v_pages", "uint8_t*");
  return {kernel.build("qkvRopeCache", tile.threads(), tile.minBlocksPerSm),
          {divideUp(qRows, tile.blockRows(request)) + 2 * divideUp(kvRows, tile.blockRows(request)), 1, 1},
          workOf(desc),
          request};
}

} // namespace llcuda::codegen
