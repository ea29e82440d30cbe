// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/buffer_source.h"

#include <cstring>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/tensor_type.h"
#include "codegen/pack/paired_rows.h"
#include "codegen/reference/rope_table.h"
#include "compiler/ingest/finite_values.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace llcuda::emit {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytesOf(const std::vector<float>& values) {
  Bytes bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// A norm scale or bias: one row, in f32, complete with what is added to it and in the order of its pairs.
Result<Bytes> vectorBytes(plan::TensorAttr source, formats::TensorType type, std::span<const std::byte> stored) {
  if (!formats::canDequantize(type))
    return unsupported("is ", formats::tensorTypeInfo(type).name, ", which cannot be read as f32");
  const auto count = static_cast<size_t>(source.getCols());
  const auto pairRows = static_cast<size_t>(source.getPairRows());
  const auto groupRows = static_cast<size_t>(source.getGroupRows());
  const float plus = source.getPlus() ? source.getPlus().getValue().convertToFloat() : 0.f;
  std::vector<float> values(count), ordered(count);
  formats::dequantizeRow(type, stored.data(), count, values.data());
  for (size_t i = 0; i < count; ++i) ordered[i] = values[models::sourceRow(i, pairRows, groupRows)] + plus;
  return bytesOf(ordered);
}

Result<Bytes> weightBytes(plan::TensorAttr source, formats::TensorType type, std::span<const std::byte> stored) {
  return pack::packPaired(
      source.getLayout(), static_cast<uint64_t>(source.getRows()), static_cast<uint64_t>(source.getCols()),
      {static_cast<uint32_t>(source.getPairRows()), static_cast<uint32_t>(source.getGroupRows())}, type, stored);
}

Result<Bytes> tensorBytes(plan::BufferOp buffer, plan::TensorAttr source, const ingest::Checkpoint& checkpoint) {
  LLCUDA_ASSIGN_OR_RETURN(const models::TensorBytes stored, sourceRows(source, checkpoint));
  Result<Bytes> bytes = buffer.getKind() == plan::BufferKind::Weight ? weightBytes(source, stored.type, stored.bytes)
                                                                     : vectorBytes(source, stored.type, stored.bytes);
  return bytes ? std::move(bytes) : ingest::errorOf(checkpoint, source.getName(), bytes.error());
}

Result<Bytes> ropeTableBytes(plan::RopeTableAttr source) {
  std::vector<double> frequencies;
  for (mlir::Attribute frequency : source.getFrequencies())
    frequencies.push_back(llvm::cast<mlir::FloatAttr>(frequency).getValueAsDouble());
  PositionGrowth growth;
  if (source.getGrowth())
    growth = {source.getGrowth().getValueAsDouble(), source.getGrowthPeriod().getValueAsDouble()};
  return bytesOf(reference::ropeTable(frequencies, source.getMagnitude().getValueAsDouble(),
                                      static_cast<size_t>(source.getPositions()), growth));
}

Result<Bytes> elementBytes(mlir::Attribute source) {
  const auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(source);
  if (!dense || dense.isSplat())
    return internalError("a constant of the plan is not a plain list of elements");
  const auto raw = dense.getRawData();
  Bytes bytes(raw.size());
  std::memcpy(bytes.data(), raw.data(), raw.size());
  return bytes;
}

Result<Bytes> sourceBytes(plan::BufferOp buffer, const ingest::Checkpoint& checkpoint) {
  const mlir::Attribute source = buffer.getSourceAttr();
  if (const auto tensor = llvm::dyn_cast<plan::TensorAttr>(source))
    return tensorBytes(buffer, tensor, checkpoint);
  if (const auto table = llvm::dyn_cast<plan::RopeTableAttr>(source))
    return ropeTableBytes(table);
  return elementBytes(source);
}

} // namespace

Result<models::TensorBytes> sourceRows(plan::TensorAttr source, const ingest::Checkpoint& checkpoint) {
  const std::string_view name = source.getName();
  LLCUDA_ASSIGN_OR_RETURN(models::TensorBytes tensor, models::readTensor(checkpoint, name, source.getEncoding()));
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(source.getEncoding());
  const uint64_t rowBytes = static_cast<uint64_t>(source.getCols()) / info.blockElements * info.blockBytes;
  const uint64_t available = tensor.bytes.size() / rowBytes;
  const auto first = static_cast<uint64_t>(source.getFirstRow());
  const auto rows = static_cast<uint64_t>(source.getRows());
  if (first > available || rows > available - first)
    return badInput("tensor ", checkpoint.title(name), " has ", available, " rows, the model needs ", first, " + ",
                    rows);
  tensor.bytes = tensor.bytes.subspan(first * rowBytes, rows * rowBytes);
  LLCUDA_RETURN_IF_ERROR(
      ingest::checkFinite(checkpoint, name, tensor, first * static_cast<uint64_t>(source.getCols())));
  return tensor;
}

Result<std::vector<std::byte>> bufferBytes(plan::BufferOp buffer, const ingest::Checkpoint& checkpoint) {
  LLCUDA_ASSIGN_OR_RETURN(Bytes bytes, sourceBytes(buffer, checkpoint));
  if (bytes.size() != static_cast<uint64_t>(buffer.getBytes()))
    return internalError("buffer ", buffer.getSymName().str(), " has ", bytes.size(), " bytes, the plan says ",
                         buffer.getBytes());
  return bytes;
}

} // namespace llcuda::emit
