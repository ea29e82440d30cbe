// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_spec.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "codegen/pack/pack.h"
#include "codegen/spec/call_builder.h"
#include "codegen/spec/decode_tile.h"
#include "codegen/spec/source_text.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxSize = 1u << 20;

std::string formatOf(WeightLayout layout) {
  return std::string(pack::layoutFormat(layout));
}

std::string shapeOf(uint32_t rows, uint32_t inputs, uint32_t outputs) {
  return "b" + std::to_string(rows) + "_k" + std::to_string(inputs) + "_n" + std::to_string(outputs);
}

std::string flag(bool value) {
  return value ? "true" : "false";
}

void setTile(KernelSpec& kernel, const DecodeTile& tile) {
  kernel.tile = tile.name();
  kernel.threads = tile.threads();
  kernel.minBlocksPerSm = tile.minBlocksPerSm;
}

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

/// Weights, input rows and biases of a launch over q, k and v.
void addQkvInputs(CallBuilder& call, const std::array<WeightLayout, 3>& layouts, bool bias) {
  for (const char* name : {"q_weight", "k_weight", "v_weight"}) call.input(name, "const uint8_t*");
  call.inputRows(!std::ranges::all_of(layouts, weightReadsInt8Rows), std::ranges::any_of(layouts, weightReadsInt8Rows));
  for (const char* name : {"q_bias", "k_bias", "v_bias"}) call.input(name, "const float*", bias);
}

} // namespace

Result<void> checkLinear(const LinearDesc& desc) {
  return checkSizes("linear", {desc.layout}, desc.rows, desc.inputs, desc.outputs);
}

LaunchSpec linearLaunch(const LinearDesc& desc, const TileTable& tiles) {
  assert(checkLinear(desc));
  const DecodeTileRequest request = requestOfOneWeight(desc);
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelSpec kernel;
  kernel.op = "linear";
  kernel.format = formatOf(desc.layout);
  kernel.shape =
      shapeOf(desc.rows, desc.inputs, desc.outputs) + (desc.bias ? "_bias" : "") + (desc.residual ? "_residual" : "");
  const bool capped = desc.softcap != 0;
  if (capped)
    kernel.shape += "_cap" + bitsText(desc.softcap);
  kernel.header = "codegen/kernels/linear/linear.cuh";
  setTile(kernel, tile);
  CallBuilder call(kernel);
  call.input("weight", "const uint8_t*");
  call.inputRows(!weightReadsInt8Rows(desc.layout), weightReadsInt8Rows(desc.layout));
  call.input("bias", "const float*", desc.bias);
  call.input("residual", "const float*", desc.residual);
  call.output("y", "float*");
  if (capped)
    call.value(floatLiteral(desc.softcap));
  call.call("linear<" +
            listText(layoutText(desc.layout), desc.inputs, desc.outputs, desc.rows, tile.text(), flag(desc.bias),
                     flag(desc.residual)) +
            (capped ? ", true>" : ">"));
  return {kernel, {divideUp(desc.outputs, tile.blockRows()), 1, 1}, request};
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
  KernelSpec kernel;
  kernel.op = "linear_residual_norm";
  kernel.format = formatOf(desc.layout);
  kernel.shape = shapeOf(desc.rows, desc.inputs, desc.outputs) + "_e" + bitsText(desc.eps) +
                 (desc.bias ? "_bias" : "") + (desc.postNorm ? "_post" : "") + (desc.f32Rows ? "_f32" : "") +
                 (desc.int8Rows ? "_q8" : "");
  kernel.header = "codegen/kernels/linear/linear_residual_norm.cuh";
  setTile(kernel, tile);
  CallBuilder call(kernel);
  call.input("weight", "const uint8_t*");
  call.inputRows(!weightReadsInt8Rows(desc.layout), weightReadsInt8Rows(desc.layout));
  call.input("bias", "const float*", desc.bias);
  call.input("residual", "const float*");
  call.input("post_scale", "const float*", desc.postNorm);
  call.input("norm_scale", "const float*");
  call.inOut("arrivals", "uint32_t*");
  call.output("product", "float*", desc.postNorm);
  call.output("y", "float*");
  call.outputRows("normed", desc.f32Rows, desc.int8Rows);
  call.value(floatLiteral(desc.eps));
  call.call("linearResidualNorm<" +
            listText(layoutText(desc.layout), desc.inputs, desc.outputs, desc.rows, tile.text(), flag(desc.bias),
                     flag(desc.postNorm), flag(desc.f32Rows), flag(desc.int8Rows)) +
            ">");
  return {kernel, {divideUp(desc.outputs, tile.blockRows()), 1, 1}, request};
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
  const bool gateInt8 = weightReadsInt8Rows(desc.gateLayout), upInt8 = weightReadsInt8Rows(desc.upLayout);
  const bool silu = desc.activation == Activation::kSilu;
  KernelSpec kernel;
  kernel.op = "glu_linear";
  kernel.format = formatOf(desc.gateLayout) + "_" + formatOf(desc.upLayout);
  kernel.shape = shapeOf(desc.rows, desc.inputs, desc.outputs) + (silu ? "_silu" : "_gelu_tanh") +
                 (desc.f32Rows ? "_f32" : "") + (desc.int8Rows ? "_q8" : "");
  kernel.header = "codegen/kernels/glu/glu_linear.cuh";
  setTile(kernel, tile);
  CallBuilder call(kernel);
  call.input("gate_weight", "const uint8_t*");
  call.input("up_weight", "const uint8_t*");
  call.inputRows(!gateInt8 || !upInt8, gateInt8 || upInt8);
  call.outputRows("y", desc.f32Rows, desc.int8Rows);
  call.call("gluLinear<" +
            listText(layoutText(desc.gateLayout), layoutText(desc.upLayout), desc.inputs, desc.outputs, desc.rows,
                     tile.text(), activationText(desc.activation), flag(desc.f32Rows), flag(desc.int8Rows)) +
            ">");
  return {kernel, {divideUp(desc.outputs, tile.blockRows()), 1, 1}, request};
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
  KernelSpec kernel;
  kernel.op = "qkv_linear";
  kernel.format = formatOf(desc.qLayout) + "_" + formatOf(desc.kLayout) + "_" + formatOf(desc.vLayout);
  kernel.shape = shapeOf(desc.rows, desc.inputs, desc.qOutputs) + "_m" + std::to_string(desc.kvOutputs) +
                 (desc.bias ? "_bias" : "");
  kernel.header = "codegen/kernels/linear/qkv_linear.cuh";
  setTile(kernel, tile);
  CallBuilder call(kernel);
  addQkvInputs(call, {desc.qLayout, desc.kLayout, desc.vLayout}, desc.bias);
  for (const char* name : {"q", "k", "v"}) call.output(name, "float*");
  const std::string outputs = "llcuda::QkvRows<" + listText(desc.qOutputs, desc.kvOutputs) + ">";
  call.call("qkvLinear<" +
            listText(outputs, layoutText(desc.qLayout), layoutText(desc.kLayout), layoutText(desc.vLayout), desc.inputs,
                     desc.rows, tile.text(), flag(desc.bias)) +
            ">");
  return {kernel,
          {divideUp(desc.qOutputs, tile.blockRows()) + 2 * divideUp(desc.kvOutputs, tile.blockRows()), 1, 1},
          request};
}

Result<void> checkQkvRopeCache(const QkvRopeCacheDesc& desc) {
  if (desc.heads == 0 || desc.kvHeads == 0 || desc.headSize == 0 || desc.headSize % 2 != 0 || desc.headSize > 1024)
    return unsupported("qkv_rope_cache of ", desc.heads, " heads, ", desc.kvHeads, " kv heads of ", desc.headSize,
                       "; kernels exist for even head sizes up to 1024");
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
                                     .blockRowsMultiple = desc.cache.isF16() ? 1u : uint32_t{kKvBlock}};
  const DecodeTile tile = chooseDecodeTile(request, tiles);
  KernelSpec kernel;
  kernel.op = "qkv_rope_cache";
  kernel.format = formatOf(desc.qLayout) + "_" + formatOf(desc.kLayout) + "_" + formatOf(desc.vLayout) +
                  (desc.cache.isF16() ? "" : "_" + desc.cache.format());
  kernel.shape = "b" + std::to_string(desc.rows) + "_k" + std::to_string(desc.inputs) + "_h" +
                 std::to_string(desc.heads) + "_g" + std::to_string(desc.kvHeads) + "_d" +
                 std::to_string(desc.headSize) + "_n" + std::to_string(desc.dimensions) + "_" + desc.cache.name() +
                 (desc.bias ? "_bias" : "");
  kernel.header = "codegen/kernels/linear/qkv_rope_cache.cuh";
  setTile(kernel, tile);
  CallBuilder call(kernel);
  addQkvInputs(call, {desc.qLayout, desc.kLayout, desc.vLayout}, desc.bias);
  call.input("rope_table", "const float2*", desc.dimensions != 0);
  call.input("positions", "const int*");
  call.input("slots", "const int*");
  call.input("block_table", "const int*", desc.cache.ringPages == 0);
  call.output("q", "float*");
  call.inOut("k_pages", "uint8_t*");
  call.inOut("v_pages", "uint8_t*");
  const std::string shape =
      "llcuda::QkvShape<" +
      listText(desc.heads, desc.kvHeads, desc.headSize, desc.dimensions, desc.cache.tablePages(), desc.cache.ringPages,
               kvTypeText(desc.cache.keyType), kvTypeText(desc.cache.valueType)) +
      ">";
  call.call("qkvRopeCache<" +
            listText(shape, layoutText(desc.qLayout), layoutText(desc.kLayout), layoutText(desc.vLayout), desc.inputs,
                     desc.rows, tile.text(), flag(desc.bias)) +
            ">");
  return {kernel, {divideUp(qRows, tile.blockRows()) + 2 * divideUp(kvRows, tile.blockRows()), 1, 1}, request};
}

} // namespace llcuda::codegen
