// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/launch_works.h"

#include <initializer_list>

namespace llcuda::codegen {
namespace {

constexpr uint64_t kF32 = 4, kF16 = 2;

/// A row of activations in the forms in which it is read or emitted.
uint64_t rowBytes(uint64_t columns, bool f32, bool int8) {
  return (f32 ? kF32 * columns : 0) + (int8 ? columns + columns / 32 * 8 : 0);
}

/// A row of a weight, in all its planes.
uint64_t weightRow(WeightLayout layout, uint64_t columns) {
  uint64_t bytes = 0;
  for (const WeightPlane plane : {WeightPlane::kCodes, WeightPlane::kHigh, WeightPlane::kScales, WeightPlane::kSupers})
    bytes += weightRowBytes(layout, plane, columns);
  return bytes;
}

/// One weight of a launch: rows of it, and how it lies.
struct Weight {
  WeightLayout layout;
  uint64_t outputs;
};

ArithmeticUnit decodeUnit(WeightLayout layout) {
  return weightReadsInt8Rows(layout) ? ArithmeticUnit::kDp4a : ArithmeticUnit::kFp32;
}

ArithmeticUnit promptUnit(WeightLayout layout) {
  return weightHasInt8Codes(layout) ? ArithmeticUnit::kTensorInt8 : ArithmeticUnit::kTensorF16;
}

/// Products of rows with weights: the weights, and the rows in the forms that they need. What is emitted is not in it.
LaunchWork productsWork(uint32_t rows, uint64_t inputs, std::initializer_list<Weight> weights, bool bias) {
  LaunchWork work;
  work.rows = rows;
  bool f32 = false, int8 = false;
  for (const Weight& weight : weights) {
    work.fixedBytes += weight.outputs * (weightRow(weight.layout, inputs) + (bias ? kF32 : 0));
    work.rowMultiplyAdds += weight.outputs * inputs;
    (weightReadsInt8Rows(weight.layout) ? int8 : f32) = true;
  }
  work.rowRead = rowBytes(inputs, f32, int8);
  return work;
}

/// Keys and values of a position in the cache.
uint64_t cacheBytes(const KvCacheDesc& cache, uint32_t kvHeads, uint32_t headSize) {
  return uint64_t{kvHeads} * (keptHeadBytes(cache.keyType, headSize) + keptHeadBytes(cache.valueType, headSize)) /
         kKvPageTokens;
}

/// What a row reads of the rope table.
uint64_t turnBytes(uint32_t dimensions) {
  return kF32 * dimensions;
}

template <typename Desc>
LaunchWork linearWork(const Desc& desc, ArithmeticUnit unit) {
  LaunchWork work = productsWork(desc.rows, desc.inputs, {{desc.layout, desc.outputs}}, desc.bias);
  work.rowRead += desc.residual ? kF32 * desc.outputs : 0;
  work.rowWritten = kF32 * desc.outputs;
  work.unit = unit;
  return work;
}

LaunchWork qkvWork(const QkvLinearDesc& desc, ArithmeticUnit unit) {
  LaunchWork work = productsWork(
      desc.rows, desc.inputs,
      {{desc.qLayout, desc.qOutputs}, {desc.kLayout, desc.kvOutputs}, {desc.vLayout, desc.kvOutputs}}, desc.bias);
  work.rowWritten = kF32 * (uint64_t{desc.qOutputs} + 2 * uint64_t{desc.kvOutputs});
  work.unit = unit;
  return work;
}

LaunchWork attentionWork(const AttentionDesc& desc, uint64_t queryBytes, ArithmeticUnit unit) {
  const uint64_t columns = uint64_t{desc.heads} * desc.headSize;
  return {.rows = desc.rows,
          .window = desc.window,
          .fixedBytes = desc.sinks ? kF32 * desc.heads : 0,
          .rowRead = queryBytes * columns,
          .rowWritten = rowBytes(columns, desc.f32Rows, desc.int8Rows),
          .keyBytes = cacheBytes(desc.cache, desc.kvHeads, desc.headSize),
          .keyMultiplyAdds = 2 * columns,
          .unit = unit};
}

/// Of a GluLinearDesc or a GluLinearPromptDesc.
template <typename Desc>
LaunchWork gluWork(const Desc& desc, WeightLayout gate, WeightLayout up, ArithmeticUnit unit) {
  LaunchWork work = productsWork(desc.rows, desc.inputs, {{gate, desc.outputs}, {up, desc.outputs}}, false);
  work.rowWritten = rowBytes(desc.outputs, desc.f32Rows, desc.int8Rows);
  work.unit = unit;
  return work;
}

} // namespace

LaunchWork workOf(const LinearDesc& desc) {
  return linearWork(desc, decodeUnit(desc.layout));
}

LaunchWork workOf(const LinearPromptDesc& desc) {
  return linearWork(desc, promptUnit(desc.layout));
}

LaunchWork workOf(const LinearResidualNormDesc& desc) {
  LaunchWork work = productsWork(desc.rows, desc.inputs, {{desc.layout, desc.outputs}}, desc.bias);
  work.fixedBytes += kF32 * desc.outputs * (desc.postNorm ? 2 : 1);
  work.rowRead += kF32 * desc.outputs;
  work.rowWritten = kF32 * desc.outputs * (desc.postNorm ? 2 : 1) + rowBytes(desc.outputs, desc.f32Rows, desc.int8Rows);
  work.unit = decodeUnit(desc.layout);
  return work;
}

LaunchWork workOf(const GluLinearDesc& desc) {
  return gluWork(desc, desc.gateLayout, desc.upLayout, decodeUnit(desc.gateLayout));
}

LaunchWork workOf(const GluLinearPromptDesc& desc) {
  return gluWork(desc, desc.layout, desc.layout, promptUnit(desc.layout));
}

LaunchWork decodeWorkOf(const QkvLinearDesc& desc) {
  return qkvWork(desc, decodeUnit(desc.qLayout));
}

LaunchWork promptWorkOf(const QkvLinearDesc& desc) {
  return qkvWork(desc, promptUnit(desc.qLayout));
}

LaunchWork workOf(const QkvRopeCacheDesc& desc) {
  const uint64_t qOutputs = uint64_t{desc.heads} * desc.headSize, kvOutputs = uint64_t{desc.kvHeads} * desc.headSize;
  LaunchWork work =
      productsWork(desc.rows, desc.inputs,
                   {{desc.qLayout, qOutputs}, {desc.kLayout, kvOutputs}, {desc.vLayout, kvOutputs}}, desc.bias);
  work.rowRead += turnBytes(desc.dimensions);
  work.rowWritten = kF32 * qOutputs + cacheBytes(desc.cache, desc.kvHeads, desc.headSize);
  work.unit = decodeUnit(desc.qLayout);
  return work;
}

LaunchWork decodeWorkOf(const AttentionDesc& desc) {
  LaunchWork work = attentionWork(desc, kF32, ArithmeticUnit::kFp32);
  if (attentionSplits(desc) > 1)
    work.rowWritten += attentionPartialBytes(desc) / desc.rows;
  return work;
}

LaunchWork promptWorkOf(const AttentionDesc& desc) {
  return attentionWork(desc, kF16, ArithmeticUnit::kTensorF16);
}

LaunchWork workOf(const HeadRowsDesc& desc) {
  const uint64_t columns = uint64_t{desc.heads} * desc.headSize;
  return {.rows = desc.rows,
          .fixedBytes = desc.turn.norm ? kF32 * desc.headSize : 0,
          .rowRead = kF32 * columns + turnBytes(desc.turn.dimensions),
          .rowWritten = (desc.f16Rows ? kF16 : kF32) * columns};
}

LaunchWork workOf(const RopeCacheDesc& desc) {
  const uint64_t qColumns = uint64_t{desc.heads} * desc.headSize, kvColumns = uint64_t{desc.kvHeads} * desc.headSize;
  const uint64_t norms = desc.turn.norm ? (desc.heads != 0 ? 2 : 1) : 0;
  return {.rows = desc.rows,
          .fixedBytes = norms * kF32 * desc.headSize,
          .rowRead = kF32 * (qColumns + 2 * kvColumns) + turnBytes(desc.turn.dimensions),
          .rowWritten =
              (desc.f16Queries ? kF16 : kF32) * qColumns + cacheBytes(desc.cache, desc.kvHeads, desc.headSize)};
}

LaunchWork workOf(const RmsNormDesc& desc) {
  return {.rows = desc.rows,
          .fixedBytes = kF32 * desc.columns,
          .rowRead = kF32 * desc.columns,
          .rowWritten = rowBytes(desc.columns, desc.f32Rows, desc.int8Rows)};
}

LaunchWork workOf(const PostNormDesc& desc) {
  return {.rows = desc.rows,
          .fixedBytes = 2 * kF32 * desc.columns,
          .rowRead = 2 * kF32 * desc.columns,
          .rowWritten = kF32 * desc.columns + rowBytes(desc.columns, desc.f32Rows, desc.int8Rows)};
}

LaunchWork workOf(const QuantizeDesc& desc) {
  return {.rows = desc.rows, .rowRead = kF32 * desc.columns, .rowWritten = rowBytes(desc.columns, false, true)};
}

LaunchWork workOf(const GluDesc& desc) {
  return {.rows = desc.rows,
          .rowRead = 2 * kF32 * desc.columns,
          .rowWritten = rowBytes(desc.columns, desc.f32Rows, desc.int8Rows)};
}

LaunchWork workOf(const EmbeddingDesc& desc) {
  return {.rows = desc.rows, .rowRead = weightRow(desc.layout, desc.columns), .rowWritten = kF32 * desc.columns};
}

LaunchWork workOf(const SampleDesc& desc) {
  return {
      .rows = desc.outputs, .rowRead = kF32 * desc.vocabulary, .rowWritten = samplePartialBytes(desc) / desc.outputs};
}

LaunchWork elementsWork(const ElementsDesc& desc, uint32_t inputs) {
  return {.rows = desc.rows, .rowRead = kF32 * desc.columns * inputs, .rowWritten = kF32 * desc.columns};
}

} // namespace llcuda::codegen
