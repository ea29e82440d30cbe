// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/launch_works.h"

#include "codegen/formats/token_score.h"

namespace llcuda::codegen {
namespace {

constexpr uint64_t kF32 = 4, kF16 = 2;

/// A row of activations in the forms in which it is read or emitted.
uint64_t rowBytes(uint64_t columns, bool f32, bool int8) {
  return (f32 ? kF32 * columns : 0) + (int8 ? columns + columns / 32 * 8 : 0);
}

/// A row of f16 and its scale.
uint64_t halfRowBytes(uint64_t columns) {
  return kF16 * columns + kF32;
}

/// A row of a weight, in all its planes.
uint64_t weightRow(WeightLayout layout, uint64_t columns) {
  uint64_t bytes = 0;
  for (const WeightPlane plane : {WeightPlane::kCodes, WeightPlane::kHigh, WeightPlane::kScales, WeightPlane::kSupers})
    bytes += weightRowBytes(layout, plane, columns);
  return bytes;
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

ArithmeticUnit unitOf(WeightLayout layout, bool fewRows) {
  if (fewRows)
    return weightReadsInt8Rows(layout) ? ArithmeticUnit::kDp4a : ArithmeticUnit::kFp32;
  return weightHasInt8Codes(layout) ? ArithmeticUnit::kTensorInt8 : ArithmeticUnit::kTensorF16;
}

/// What an epilogue reads besides the products, and writes.
void addEpilogue(LaunchWork& work, const LinearDesc& desc, const StoreRows& epilogue) {
  for (const LinearPart& part : desc.parts) {
    work.rowRead += epilogue.residual ? kF32 * part.outputs : 0;
    work.rowWritten += kF32 * part.outputs;
  }
}
void addEpilogue(LaunchWork& work, const LinearDesc& desc, const NormRows& epilogue) {
  const uint64_t row = kF32 * desc.parts[0].outputs, stored = epilogue.postNorm ? 2 : 1;
  work.fixedBytes += (epilogue.sum.copied ? 1 : stored) * row;
  work.rowRead += row;
  work.rowWritten += stored * row + rowBytes(desc.parts[0].outputs, epilogue.f32Rows, epilogue.int8Rows);
}
void addEpilogue(LaunchWork& work, const LinearDesc& desc, const GateRows& epilogue) {
  work.rowWritten += rowBytes(desc.parts[0].outputs, epilogue.f32Rows, epilogue.int8Rows);
}
void addEpilogue(LaunchWork& work, const LinearDesc& desc, const TimesRows& epilogue) {
  work.rowRead += kF32 * desc.parts[0].outputs;
  work.rowWritten += rowBytes(desc.parts[0].outputs, epilogue.f32Rows, epilogue.int8Rows);
}
void addEpilogue(LaunchWork& work, const LinearDesc& desc, const RopeCacheRows& epilogue) {
  work.rowRead += turnBytes(epilogue.dimensions);
  work.rowWritten += kF32 * desc.parts[0].outputs +
                     cacheBytes(epilogue.cache, desc.parts[1].outputs / epilogue.headSize, epilogue.headSize);
}

/// The experts' weights, and the rows in the forms that these need.
template <typename Desc>
LaunchWork expertWork(const Desc& desc, std::initializer_list<WeightLayout> layouts, bool each) {
  const uint64_t choices = desc.choices;
  uint64_t expertBytes = 0;
  for (const WeightLayout layout : layouts)
    expertBytes += desc.outputs * (weightRow(layout, desc.inputs) + (desc.bias ? kF32 : 0));
  const RowsRead rows = rowsRead(desc);
  const uint64_t row = rowBytes(desc.inputs, rows.f32, rows.int8) + (rows.halves ? halfRowBytes(desc.inputs) : 0);
  return {.rows = desc.rows,
          .rowRead = row * (each || desc.tileRows != 0 ? choices : 1),
          .rowMultiplyAdds = layouts.size() * choices * desc.outputs * desc.inputs,
          .expertBytes = expertBytes,
          .experts = desc.experts,
          .choices = desc.choices,
          .tileRows = desc.tileRows,
          .unit = unitOf(*layouts.begin(), desc.tileRows == 0)};
}

} // namespace

/// The weights, and the rows in the forms that these need.
LaunchWork workOf(const LinearDesc& desc) {
  LaunchWork work;
  work.rows = desc.rows;
  work.unit = unitOf(desc.parts[0].layout, desc.hasFewRows());
  for (const LinearPart& part : desc.parts) {
    const uint64_t outputs = part.outputs;
    work.fixedBytes += outputs * (weightRow(part.layout, desc.inputs) + (desc.bias ? kF32 : 0));
    work.rowMultiplyAdds += outputs * (desc.inputs + (part.lowRank ? desc.lowRank : 0));
    work.fixedBytes += part.lowRank ? outputs * kF16 * desc.lowRank : 0;
  }
  if (desc.hasFewRows()) { // they make low
    work.rowMultiplyAdds += uint64_t{desc.lowRank} * desc.inputs;
    work.fixedBytes += kF16 * desc.lowRank * desc.inputs;
    work.rowWritten += kF32 * desc.lowRank;
  }
  const RowsRead rows = rowsRead(desc);
  work.rowRead =
      rowBytes(desc.inputs, rows.f32, rows.int8) + (rows.halves ? halfRowBytes(desc.inputs) : 0) + kF32 * desc.lowRank;
  std::visit([&](const auto& epilogue) { addEpilogue(work, desc, epilogue); }, desc.epilogue);
  return work;
}

LaunchWork workOf(const LowRankDesc& desc) {
  return {.rows = desc.rows,
          .fixedBytes = kF16 * desc.rank * desc.inputs,
          .rowRead = kF32 * desc.inputs,
          .rowWritten = kF32 * desc.rank,
          .rowMultiplyAdds = uint64_t{desc.rank} * desc.inputs,
          .unit = ArithmeticUnit::kTensorF16};
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
  const uint64_t norms = (desc.turn.norm ? (desc.heads != 0 ? 2 : 1) : 0) + (desc.valueNorm ? 1 : 0);
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
          .rowWritten =
              rowBytes(desc.columns, desc.f32Rows, desc.int8Rows) + (desc.halfRows ? halfRowBytes(desc.columns) : 0)};
}

LaunchWork workOf(const LayerNormDesc& desc) {
  return {.rows = desc.rows,
          .fixedBytes = (desc.shift ? 2 : 1) * kF32 * desc.columns,
          .rowRead = kF32 * desc.columns,
          .rowWritten =
              rowBytes(desc.columns, desc.f32Rows, desc.int8Rows) + (desc.halfRows ? halfRowBytes(desc.columns) : 0)};
}

LaunchWork workOf(const PostNormDesc& desc) {
  return {.rows = desc.rows,
          .fixedBytes = (desc.sum.copied ? 1 : 2) * kF32 * desc.columns,
          .rowRead = 2 * kF32 * desc.columns,
          .rowWritten = kF32 * desc.columns + rowBytes(desc.columns, desc.f32Rows, desc.int8Rows) +
                        (desc.halfRows ? halfRowBytes(desc.columns) : 0)};
}

LaunchWork workOf(const QuantizeDesc& desc) {
  return {.rows = desc.rows, .rowRead = kF32 * desc.columns, .rowWritten = rowBytes(desc.columns, false, true)};
}

LaunchWork workOf(const HalfRowsDesc& desc) {
  return {.rows = desc.rows, .rowRead = kF32 * desc.columns, .rowWritten = halfRowBytes(desc.columns)};
}

LaunchWork workOf(const GluDesc& desc) {
  return {.rows = desc.rows,
          .rowRead = 2 * kF32 * desc.columns,
          .rowWritten = rowBytes(desc.columns, desc.f32Rows, desc.int8Rows)};
}

LaunchWork workOf(const ActivateDesc& desc) {
  return {.rows = desc.rows,
          .rowRead = kF32 * desc.columns,
          .rowWritten = rowBytes(desc.columns, desc.f32Rows, desc.int8Rows)};
}

LaunchWork workOf(const EmbeddingDesc& desc) {
  return {.rows = desc.rows, .rowRead = weightRow(desc.layout, desc.columns), .rowWritten = kF32 * desc.columns};
}

LaunchWork workOf(const RouteDesc& desc) {
  return {.rows = desc.rows, .rowRead = kF32 * desc.experts, .rowWritten = 2 * kF32 * desc.choices};
}

LaunchWork workOf(const SortChoicesDesc& desc) {
  return {.rows = desc.rows};
}

LaunchWork workOf(const SortedRowsDesc& desc) {
  const uint64_t choices = desc.choices.choices;
  return {.rows = desc.choices.rows,
          .rowRead = kF32 * desc.columns * (desc.each ? choices : 1),
          .rowWritten = choices * (desc.halfRows ? halfRowBytes(desc.columns) : rowBytes(desc.columns, false, true))};
}

LaunchWork workOf(const ExpertLinearDesc& desc) {
  LaunchWork work = expertWork(desc, {desc.layout}, desc.each);
  work.rowWritten = kF32 * desc.choices * desc.outputs;
  return work;
}

LaunchWork workOf(const ExpertGluDesc& desc) {
  LaunchWork work = expertWork(desc, {desc.gate, desc.up}, false);
  work.rowWritten = desc.choices * rowBytes(desc.outputs, desc.f32Rows, desc.int8Rows);
  return work;
}

LaunchWork workOf(const ExpertSumDesc& desc) {
  return {.rows = desc.rows, .rowRead = kF32 * desc.choices * (desc.columns + 1), .rowWritten = kF32 * desc.columns};
}

LaunchWork workOf(const ShortConvDesc& desc) {
  const uint64_t column = kF32 * (desc.gated ? 3 : 1);
  return {.rows = desc.rows,
          .fixedBytes = kF32 * desc.taps * desc.columns,
          .rowRead = column * desc.columns,
          .rowWritten = rowBytes(desc.columns, desc.f32Rows, desc.int8Rows) + shortConvStateBytes(desc) / desc.taps,
          .rowMultiplyAdds = uint64_t{desc.taps} * desc.columns,
          .unit = ArithmeticUnit::kFp32};
}

LaunchWork workOf(const DeltaRuleDesc& desc) {
  const uint64_t state = deltaRuleStateBytes(desc) / 2, columns = uint64_t{desc.valueHeads} * desc.headSize;
  const bool apart = desc.rowBlock == 1; // a row's state is read once, as it is written: not by every multiprocessor
  return {.rows = desc.rows,
          .fixedBytes = 2 * kF32 * desc.valueHeads + (apart ? 0 : 2 * state),
          .rowRead = kF32 * (2 * desc.keyHeads * desc.headSize + columns + 2 * desc.valueHeads),
          .rowWritten = kF32 * columns + (apart ? 2 * state : 0),
          .rowMultiplyAdds = 4 * columns * desc.headSize,
          .unit = ArithmeticUnit::kFp32};
}

LaunchWork workOf(const SampleDesc& desc) {
  return {
      .rows = desc.outputs, .rowRead = kF32 * desc.vocabulary, .rowWritten = samplePartialBytes(desc) / desc.outputs};
}

LaunchWork workOf(const LogProbabilitiesDesc& desc) {
  return {.rows = desc.outputs,
          .rowRead = kF32 * desc.vocabulary,
          .rowWritten = logProbabilitiesPartialBytes(desc) / desc.outputs + sizeof(TokenScore)};
}

LaunchWork elementsWork(const ElementsDesc& desc, uint32_t inputs) {
  return {.rows = desc.rows, .rowRead = kF32 * desc.columns * inputs, .rowWritten = kF32 * desc.columns};
}

} // namespace llcuda::codegen
