// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/parameter.h"

#include "codegen/formats/dequantize.h"

namespace llcuda::models {

Result<TensorBytes> readTensor(const ingest::Checkpoint& checkpoint, std::string_view name,
                               formats::TensorType encoding) {
  const ingest::TensorInfo* tensor = checkpoint.find(name);
  if (!tensor)
    return badInput("the model has no tensor ", checkpoint.title(name));
  LLCUDA_ASSIGN_OR_RETURN(TensorBytes stored, checkpoint.read(*tensor));
  if (stored.type != encoding)
    return badInput("tensor ", checkpoint.title(name), " is ", formats::tensorTypeInfo(stored.type).name, " and not ",
                    formats::tensorTypeInfo(encoding).name);
  return stored;
}

Result<Parameter> Parameter::find(llm::ParameterOp op, const ingest::Checkpoint& checkpoint) {
  Parameter parameter;
  const std::string_view name = op.getName();
  if (auto weight = llvm::dyn_cast<llm::WeightType>(op.getResult().getType())) {
    parameter.rowCount = static_cast<size_t>(weight.getRows());
    parameter.colCount = static_cast<size_t>(weight.getCols());
    parameter.type = weight.getEncoding();
  } else {
    parameter.rowCount = 1;
    parameter.colCount =
        static_cast<size_t>(llvm::cast<mlir::RankedTensorType>(op.getResult().getType()).getDimSize(0));
    if (op.getEncoding())
      parameter.type = *formats::tensorTypeByName(std::string_view(*op.getEncoding()));
  }
  LLCUDA_ASSIGN_OR_RETURN(const TensorBytes tensor, readTensor(checkpoint, name, parameter.type));
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(parameter.type);
  parameter.rowBytes = parameter.colCount / info.blockElements * info.blockBytes;
  const size_t start = static_cast<size_t>(op.getFirstRow().value_or(0)) * parameter.rowBytes;
  const size_t needed = parameter.rowCount * parameter.rowBytes;
  if (start > tensor.bytes.size() || needed > tensor.bytes.size() - start)
    return badInput("tensor ", checkpoint.title(name), " has ", tensor.bytes.size(),
                    " bytes, fewer than its shape needs");
  parameter.bytes = tensor.bytes.subspan(start, needed);
  parameter.owner = tensor.owner;
  parameter.pairRows = static_cast<size_t>(op.getPairRows().value_or(0));
  parameter.groupRows = static_cast<size_t>(op.getGroupRows().value_or(0));
  parameter.plus = op.getPlus() ? op.getPlus()->convertToFloat() : 0;
  return parameter;
}

std::span<const std::byte> Parameter::row(size_t row) const {
  return bytes.subspan((rowCount == 1 ? row : sourceRow(row, pairRows, groupRows)) * rowBytes, rowBytes);
}

void Parameter::dequantize(size_t row, float* out) const {
  formats::dequantizeRow(type, this->row(row).data(), colCount, out);
}

std::vector<float> Parameter::vector() const {
  std::vector<float> stored(colCount), ordered(colCount);
  dequantize(0, stored.data());
  for (size_t i = 0; i < colCount; ++i) ordered[i] = stored[sourceRow(i, pairRows, groupRows)] + plus;
  return ordered;
}

} // namespace llcuda::models
