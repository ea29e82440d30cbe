// SPDX-License-Identifier: Apache-2.0
// The rows behind an llm.parameter: where they lie in the checkpoint and in which order.
#pragma once

#include <span>
#include <vector>

#include "codegen/formats/tensor_type.h"
#include "codegen/pack/source_row.h"
#include "compiler/ingest/checkpoint.h"
#include "dialects/llm/Llm.h"
#include "runtime/base/result.h"

namespace llcuda::models {

using ingest::TensorBytes;

using pack::sourceRow;

/// The checkpoint's tensor of a name; fails when it has none or of another encoding.
Result<TensorBytes> readTensor(const ingest::Checkpoint& checkpoint, std::string_view name,
                               formats::TensorType encoding);

/// A matrix, or a vector as a matrix of one row, whose rows are read one by one in the order that the op names.
class Parameter {
public:
  /// Fails when the checkpoint lacks the tensor, or holds fewer bytes or another encoding than the op's type says.
  static Result<Parameter> find(llm::ParameterOp op, const ingest::Checkpoint& checkpoint);

  size_t rows() const { return rowCount; }
  size_t cols() const { return colCount; }
  formats::TensorType encoding() const { return type; }
  /// The encoded bytes of row `row`, which live as long as the checkpoint and this value.
  std::span<const std::byte> row(size_t row) const;
  void dequantize(size_t row, float* out) const;
  /// All elements of a vector, complete with what the op adds and in its order.
  std::vector<float> vector() const;

private:
  formats::TensorType type = formats::TensorType::kF32;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner; ///< of bytes that were computed
  size_t rowCount = 0;
  size_t colCount = 0;
  size_t rowBytes = 0;
  size_t pairRows = 0, groupRows = 0; ///< of sourceRow()
  float plus = 0;
};

} // namespace llcuda::models
