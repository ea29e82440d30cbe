// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/rows_spec.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include "codegen/pack/pack.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kFlatThreads = 128, kMaxColumns = 1u << 16;

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

void addRowsShape(KernelBuilder& kernel, uint32_t rows, uint32_t columns) {
  kernel.group(
      "RowsShape",
      {{"rows", number("r", rows)}, {"columns", number("c", columns)}, {"threads", number("t", kFlatThreads)}});
}

/// Blocks of codegen/kernels/block/each_row.cuh.
uint32_t blocksOf(uint32_t rows, uint32_t columns, RowOrder order) {
  const uint64_t elements = rowsHeld(order, rows) * columns;
  const auto each = static_cast<uint64_t>(elementsOfThread(order)) * kFlatThreads;
  return static_cast<uint32_t>((elements + each - 1) / each);
}

/// Of a launch that emits f32 rows, int8 rows or both.
template <typename Desc>
uint32_t blocksOf(const Desc& desc) {
  return blocksOf(desc.rows, desc.columns, desc.int8Rows ? desc.order : RowOrder::kRows);
}

template <typename Desc>
void addForms(KernelBuilder& kernel, const Desc& desc) {
  kernel.group("RowForms", rowForms(desc.f32Rows, desc.int8Rows, desc.order));
}

/// Of a norm's description; so is what follows, but for that of layer_norm.
template <typename Desc>
Result<void> checkNorm(const char* op, const Desc& desc) {
  if (desc.columns > 32768)
    return unsupported(op, " of ", desc.columns, " columns; kernels exist for multiples of 32 up to 32768");
  return checkRows(op, desc.rows, desc.columns, desc.f32Rows || desc.halfRows, desc.int8Rows);
}

template <typename Desc>
uint32_t normThreads(const Desc& desc) {
  return desc.threads != 0 ? desc.threads : rowThreads(desc.rows, desc.columns);
}

template <typename Desc>
void addNorm(KernelBuilder& kernel, const Desc& desc, uint32_t threads) {
  kernel.group("RowShape", {{"columns", number("c", desc.columns)},
                            {"threads", number("t", threads)},
                            {"picked", flag("pick", desc.pickRows)}});
  kernel.group("RowForms", rowForms(desc.f32Rows, desc.int8Rows, desc.order, desc.halfRows));
}

} // namespace

Result<void> checkRmsNorm(const RmsNormDesc& desc) {
  return checkNorm("rms_norm", desc);
}

LaunchSpec rmsNormLaunch(const RmsNormDesc& desc) {
  assert(checkRmsNorm(desc));
  const uint32_t threads = normThreads(desc);
  KernelBuilder kernel("rms_norm", "codegen/kernels/norm/rms_norm.cuh");
  addNorm(kernel, desc, threads);
  kernel.input("x", "const float*").input("scale", "const float*").input("output_rows", "const int*", desc.pickRows);
  kernel.outputRows("y", desc.f32Rows, desc.int8Rows).value(real("e", desc.eps)).outputHalfRows("y", desc.halfRows);
  return {kernel.build("rmsNorm", threads), {desc.rows, 1, 1}, workOf(desc)};
}

Result<void> checkLayerNorm(const LayerNormDesc& desc) {
  return checkNorm("layer_norm", desc);
}

LaunchSpec layerNormLaunch(const LayerNormDesc& desc) {
  assert(checkLayerNorm(desc));
  const uint32_t threads = rowThreads(desc.rows, desc.columns);
  KernelBuilder kernel("layer_norm", "codegen/kernels/norm/layer_norm.cuh");
  kernel.group("RowShape", {{"columns", number("c", desc.columns)}, {"threads", number("t", threads)}});
  kernel.group("RowForms", rowForms(desc.f32Rows, desc.int8Rows, desc.order, desc.halfRows));
  kernel.input("x", "const float*").input("scale", "const float*").input("shift", "const float*", desc.shift);
  kernel.outputRows("y", desc.f32Rows, desc.int8Rows).value(real("e", desc.eps)).outputHalfRows("y", desc.halfRows);
  return {kernel.build("layerNorm", threads), {desc.rows, 1, 1}, workOf(desc)};
}

Members sumForm(const SumForm& form) {
  const std::string factor = hexText(std::bit_cast<uint32_t>(form.factor));
  return {{"factor", {"0x" + factor, form.factor == 1 ? "" : "f" + factor}}, {"copied", flag("copied", form.copied)}};
}

Result<void> checkPostNorm(const PostNormDesc& desc) {
  if (!std::isfinite(desc.sum.factor))
    return unsupported("post_norm of sums times ", desc.sum.factor);
  return checkNorm("post_norm", desc);
}

LaunchSpec postNormLaunch(const PostNormDesc& desc) {
  assert(checkPostNorm(desc));
  const uint32_t threads = normThreads(desc);
  KernelBuilder kernel("post_norm", "codegen/kernels/norm/post_norm.cuh");
  addNorm(kernel, desc, threads);
  if (!desc.sum.isPlain())
    kernel.group("SumForm", sumForm(desc.sum));
  for (const char* name : {"x", "residual", "post_scale"}) kernel.input(name, "const float*");
  kernel.input("scale", "const float*", !desc.sum.copied);
  kernel.input("output_rows", "const int*", desc.pickRows).output("sum", "float*");
  kernel.outputRows("y", desc.f32Rows, desc.int8Rows).value(real("e", desc.eps)).outputHalfRows("y", desc.halfRows);
  return {kernel.build("postNorm", threads), {desc.rows, 1, 1}, workOf(desc)};
}

Result<void> checkQuantize(const QuantizeDesc& desc) {
  return checkRows("quantize", desc.rows, desc.columns, false, true);
}

LaunchSpec quantizeLaunch(const QuantizeDesc& desc) {
  assert(checkQuantize(desc));
  KernelBuilder kernel("quantize", "codegen/kernels/norm/quantize.cuh");
  addRowsShape(kernel, desc.rows, desc.columns);
  kernel.constants({rowOrder(desc.order)});
  kernel.input("x", "const float*").output("y_codes", "int8_t*").output("y_scales", "float2*");
  return {kernel.build("quantize", kFlatThreads), {blocksOf(desc.rows, desc.columns, desc.order), 1, 1}, workOf(desc)};
}

Result<void> checkHalfRows(const HalfRowsDesc& desc) {
  return checkRows("half_rows", desc.rows, desc.columns, true, false);
}

LaunchSpec halfRowsLaunch(const HalfRowsDesc& desc) {
  assert(checkHalfRows(desc));
  const uint32_t threads = rowThreads(desc.rows, desc.columns);
  KernelBuilder kernel("half_rows", "codegen/kernels/norm/half_rows.cuh");
  kernel.group("RowShape", {{"columns", number("c", desc.columns)}, {"threads", number("t", threads)}});
  kernel.input("x", "const float*").output("y_halves", "uint8_t*").output("y_half_scales", "float*");
  return {kernel.build("halfRows", threads), {desc.rows, 1, 1}, workOf(desc)};
}

Result<void> checkGlu(const GluDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkRowView("glu", desc.gate, desc.columns));
  LLCUDA_RETURN_IF_ERROR(checkRowView("glu", desc.up, desc.columns));
  return checkRows("glu", desc.rows, desc.columns, desc.f32Rows, desc.int8Rows);
}

LaunchSpec gluLaunch(const GluDesc& desc) {
  assert(checkGlu(desc));
  KernelBuilder kernel("glu", "codegen/kernels/glu/glu.cuh");
  addRowsShape(kernel, desc.rows, desc.columns);
  kernel.constants({activation(desc.activation)});
  addForms(kernel, desc);
  if (!desc.gate.isWhole() || !desc.up.isWhole()) {
    kernel.group("RowView", rowView(desc.gate));
    kernel.group("RowView", rowView(desc.up));
  }
  kernel.input("gate", "const float*").input("up", "const float*").outputRows("y", desc.f32Rows, desc.int8Rows);
  return {kernel.build("glu", kFlatThreads), {blocksOf(desc), 1, 1}, workOf(desc)};
}

Result<void> checkActivate(const ActivateDesc& desc) {
  return checkRows("activate", desc.rows, desc.columns, desc.f32Rows, desc.int8Rows);
}

LaunchSpec activateLaunch(const ActivateDesc& desc) {
  assert(checkActivate(desc));
  KernelBuilder kernel("activate", "codegen/kernels/glu/activate.cuh");
  addRowsShape(kernel, desc.rows, desc.columns);
  kernel.constants({activation(desc.activation)});
  addForms(kernel, desc);
  kernel.input("x", "const float*").outputRows("y", desc.f32Rows, desc.int8Rows);
  return {kernel.build("activateRows", kFlatThreads), {blocksOf(desc), 1, 1}, workOf(desc)};
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
  const uint32_t threads = std::min(256u, rowThreads(desc.rows, desc.columns));
  KernelBuilder kernel("embedding", "codegen/kernels/embed/embedding.cuh");
  kernel.group("EmbeddingShape", {{"layout", layout(desc.layout)},
                                  {"vocabulary", number("v", desc.vocabulary)},
                                  {"columns", number("c", desc.columns)},
                                  {"threads", number("t", threads)}});
  kernel.input("weight", "const uint8_t*").input(desc.byPosition ? "positions" : "tokens", "const int*");
  kernel.output("y", "float*").value(real("s", desc.scale));
  return {kernel.build("embedding", threads), {desc.rows, 1, 1}, workOf(desc)};
}

} // namespace llcuda::codegen
