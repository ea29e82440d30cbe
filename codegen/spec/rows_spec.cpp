// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/rows_spec.h"

#include <algorithm>
#include <cassert>

#include "codegen/pack/pack.h"
#include "codegen/spec/call_builder.h"
#include "codegen/spec/source_text.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kFlatThreads = 128, kMaxColumns = 1u << 16;

std::string flag(bool value) {
  return value ? "true" : "false";
}

std::string emitted(bool f32Rows, bool int8Rows) {
  return std::string(f32Rows ? "_f32" : "") + (int8Rows ? "_q8" : "");
}

Result<void> checkRows(const char* op, uint32_t rows, uint32_t columns, bool f32Rows, bool int8Rows) {
  if (rows == 0 || rows > kMaxColumns)
    return unsupported(op, " of ", rows, " rows; kernels exist for 1 to ", kMaxColumns);
  if (columns == 0 || columns % 32 != 0 || columns > kMaxColumns)
    return unsupported(op, " of ", columns, " columns; kernels exist for multiples of 32 up to ", kMaxColumns);
  if (uint64_t{rows} * columns >= uint64_t{1} << 31)
    return unsupported(op, " of ", rows, " rows of ", columns, " columns: more than 2^31 elements");
  if (!f32Rows && !int8Rows)
    return unsupported(op, " that emits no rows");
  return {};
}

/// Few rows: each is done as fast as a block can. Many: blocks of a middling size fill the machine.
uint32_t rowThreads(uint32_t rows, uint32_t columns) {
  return std::clamp(divideUp(columns / 4, 32) * 32, 32u, rows <= 8 ? 1024u : 256u);
}

} // namespace

Result<void> checkRmsNorm(const RmsNormDesc& desc) {
  if (desc.columns > 32768)
    return unsupported("rms_norm of ", desc.columns, " columns; kernels exist for multiples of 32 up to 32768");
  return checkRows("rms_norm", desc.rows, desc.columns, desc.f32Rows, desc.int8Rows);
}

LaunchSpec rmsNormLaunch(const RmsNormDesc& desc) {
  assert(checkRmsNorm(desc));
  KernelSpec kernel;
  kernel.op = "rms_norm";
  kernel.format = "f32" + emitted(desc.f32Rows, desc.int8Rows);
  kernel.shape = "c" + std::to_string(desc.columns) + "_e" + bitsText(desc.eps) + (desc.pickRows ? "_pick" : "");
  kernel.threads = rowThreads(desc.rows, desc.columns);
  kernel.tile = "t" + std::to_string(kernel.threads);
  kernel.header = "codegen/kernels/norm/rms_norm.cuh";
  CallBuilder call(kernel);
  call.input("x", "const float*");
  call.input("scale", "const float*");
  call.input("output_rows", "const int*", desc.pickRows);
  call.outputRows("y", desc.f32Rows, desc.int8Rows);
  call.value(floatLiteral(desc.eps));
  call.call("rmsNorm<" +
            listText(desc.columns, kernel.threads, flag(desc.pickRows), flag(desc.f32Rows), flag(desc.int8Rows)) + ">");
  return {kernel, {desc.rows, 1, 1}};
}

Result<void> checkPostNorm(const PostNormDesc& desc) {
  if (desc.columns > 32768)
    return unsupported("post_norm of ", desc.columns, " columns; kernels exist for multiples of 32 up to 32768");
  return checkRows("post_norm", desc.rows, desc.columns, desc.f32Rows, desc.int8Rows);
}

LaunchSpec postNormLaunch(const PostNormDesc& desc) {
  assert(checkPostNorm(desc));
  KernelSpec kernel;
  kernel.op = "post_norm";
  kernel.format = "f32" + emitted(desc.f32Rows, desc.int8Rows);
  kernel.shape = "c" + std::to_string(desc.columns) + "_e" + bitsText(desc.eps) + (desc.pickRows ? "_pick" : "");
  kernel.threads = rowThreads(desc.rows, desc.columns);
  kernel.tile = "t" + std::to_string(kernel.threads);
  kernel.header = "codegen/kernels/norm/post_norm.cuh";
  CallBuilder call(kernel);
  call.input("x", "const float*");
  call.input("residual", "const float*");
  call.input("post_scale", "const float*");
  call.input("scale", "const float*");
  call.input("output_rows", "const int*", desc.pickRows);
  call.output("sum", "float*");
  call.outputRows("y", desc.f32Rows, desc.int8Rows);
  call.value(floatLiteral(desc.eps));
  call.call("postNorm<" +
            listText(desc.columns, kernel.threads, flag(desc.pickRows), flag(desc.f32Rows), flag(desc.int8Rows)) + ">");
  return {kernel, {desc.rows, 1, 1}};
}

Result<void> checkQuantize(const QuantizeDesc& desc) {
  return checkRows("quantize", desc.rows, desc.columns, false, true);
}

LaunchSpec quantizeLaunch(const QuantizeDesc& desc) {
  assert(checkQuantize(desc));
  const uint32_t fours = desc.rows * (desc.columns / 4);
  KernelSpec kernel;
  kernel.op = "quantize";
  kernel.format = "f32_q8";
  kernel.shape = "n" + std::to_string(4 * fours);
  kernel.threads = kFlatThreads;
  kernel.tile = "t" + std::to_string(kernel.threads);
  kernel.header = "codegen/kernels/norm/quantize.cuh";
  CallBuilder call(kernel);
  call.input("x", "const float*");
  call.output("y_codes", "int8_t*");
  call.output("y_scales", "float2*");
  call.call("quantize<" + listText(fours, kernel.threads) + ">");
  return {kernel, {divideUp(fours, kFlatThreads), 1, 1}};
}

Result<void> checkGlu(const GluDesc& desc) {
  return checkRows("glu", desc.rows, desc.columns, desc.f32Rows, desc.int8Rows);
}

LaunchSpec gluLaunch(const GluDesc& desc) {
  assert(checkGlu(desc));
  const uint32_t fours = desc.rows * (desc.columns / 4);
  KernelSpec kernel;
  kernel.op = "glu";
  kernel.format = "f32" + emitted(desc.f32Rows, desc.int8Rows);
  kernel.shape = "n" + std::to_string(4 * fours) + (desc.activation == Activation::kSilu ? "_silu" : "_gelu_tanh");
  kernel.threads = kFlatThreads;
  kernel.tile = "t" + std::to_string(kernel.threads);
  kernel.header = "codegen/kernels/glu/glu.cuh";
  CallBuilder call(kernel);
  call.input("gate", "const float*");
  call.input("up", "const float*");
  call.outputRows("y", desc.f32Rows, desc.int8Rows);
  call.call("glu<" +
            listText(fours, kernel.threads, activationText(desc.activation), flag(desc.f32Rows), flag(desc.int8Rows)) +
            ">");
  return {kernel, {divideUp(fours, kFlatThreads), 1, 1}};
}

Result<void> checkEmbedding(const EmbeddingDesc& desc) {
  if (desc.vocabulary == 0 || desc.vocabulary > 1u << 24)
    return unsupported("embedding of ", desc.vocabulary, " tokens; kernels exist for 1 to 2^24");
  if (const unsigned block = weightBlockBytes(desc.layout).columns; desc.columns % block != 0)
    return unsupported("embedding of ", desc.columns, " columns; kernels of ", pack::layoutName(desc.layout),
                       " exist for multiples of ", block);
  return checkRows("embedding", desc.rows, desc.columns, true, false);
}

LaunchSpec embeddingLaunch(const EmbeddingDesc& desc) {
  assert(checkEmbedding(desc));
  KernelSpec kernel;
  kernel.op = "embedding";
  kernel.format = pack::layoutFormat(desc.layout);
  kernel.shape =
      "v" + std::to_string(desc.vocabulary) + "_c" + std::to_string(desc.columns) + "_s" + bitsText(desc.scale);
  kernel.threads = std::min(256u, rowThreads(desc.rows, desc.columns));
  kernel.tile = "t" + std::to_string(kernel.threads);
  kernel.header = "codegen/kernels/embed/embedding.cuh";
  CallBuilder call(kernel);
  call.input("weight", "const uint8_t*");
  call.input("tokens", "const int*");
  call.output("y", "float*");
  call.value(floatLiteral(desc.scale));
  call.call("embedding<" + listText(layoutText(desc.layout), desc.columns, desc.vocabulary, kernel.threads) + ">");
  return {kernel, {desc.rows, 1, 1}};
}

} // namespace llcuda::codegen
