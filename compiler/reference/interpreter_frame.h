// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/reference/interpreter.h"

namespace llcuda::reference {

/// The values of one step while they live.
struct Interpreter::Frame {
  const Step& step;
  std::vector<int32_t> positions = {};
  llvm::DenseMap<mlir::Value, Matrix> values{};

  const Matrix& at(mlir::Value value) const {
    const auto found = values.find(value);
    assert(found != values.end() && "operands are computed before their users");
    return found->second;
  }

  /// Stores a result; rows of int8 become what their codes stand for.
  void set(mlir::Value value, Matrix matrix, const FloatOps& ops) {
    values[value] = llm::isQ8Rows(value.getType()) ? ops.quantized(matrix) : std::move(matrix);
  }
};

} // namespace llcuda::reference
