// SPDX-License-Identifier: Apache-2.0
// The llm dialect: types, attributes and ops. What each means is said in the .td files beside this one.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "codegen/formats/position_growth.h"
#include "codegen/formats/tensor_type.h"

namespace llcuda::llm {

/// The pools of keys and values, as something ops write.
struct CacheResource final : mlir::SideEffects::Resource::Base<CacheResource> {
  llvm::StringRef getName() final { return "llm.cache"; }
};

/// What recurrent layers keep of sequences.
struct StateResource final : mlir::SideEffects::Resource::Base<StateResource> {
  llvm::StringRef getName() final { return "llm.state"; }
};

} // namespace llcuda::llm

#include "dialects/llm/LlmDialect.h.inc"
#include "dialects/llm/LlmEnums.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/llm/LlmTypes.h.inc"

#include "dialects/llm/LlmInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/llm/LlmOps.h.inc"

namespace llcuda::llm {

/// Name of the discardable attribute that says which layer an op belongs to.
inline constexpr llvm::StringLiteral kLayerAttr = "llm.layer";
/// Name of the argument attribute that says which io buffer an argument stands for.
inline constexpr llvm::StringLiteral kIoAttr = "llm.io";
/// Columns that share a scale in int8 rows.
inline constexpr int64_t kQ8Block = 32;

/// `tensor<?xCxf32>`, `tensor<?xCx!llm.q8>`.
mlir::RankedTensorType floatRows(mlir::MLIRContext* context, int64_t columns);
mlir::RankedTensorType q8Rows(mlir::MLIRContext* context, int64_t columns);
/// The same rows as int8 rows.
mlir::RankedTensorType asQ8Rows(mlir::Type rows);
/// Whether the value or type is int8 rows.
bool isQ8Rows(mlir::Type type);
/// Columns of rows; elements of a vector.
int64_t columnsOf(mlir::Value value);

/// Whether linears take int8 rows for this encoding: its layout is multiplied with them.
bool takesQ8Rows(formats::TensorType encoding);

/// The layer an op belongs to, -1 when it says none.
int64_t layerOf(mlir::Operation* op);

/// Whether the value is the argument of a function that stands for the positions of the rows.
bool isPositions(mlir::Value value);

} // namespace llcuda::llm
