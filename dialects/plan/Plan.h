// SPDX-License-Identifier: Apache-2.0
// The plan dialect: what an engine file says. What each op means is said in PlanOps.td.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"

#include "codegen/formats/tensor_type.h"

#include "dialects/plan/PlanDialect.h.inc"
#include "dialects/plan/PlanEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/plan/PlanAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.h.inc"

namespace llcuda::plan {

/// Every offset of a buffer is a multiple of this.
inline constexpr int64_t kBufferAlignment = 256;

/// One argument of a launch with all that is known of it. The launch must be verified.
struct LaunchArgument {
  BufferOp buffer;
  int64_t offset;
  ParamAttr param;
};
llvm::SmallVector<LaunchArgument> argumentsOf(LaunchOp launch, mlir::SymbolTableCollection& symbols);

/// The kernel of a launch. The launch must be verified.
KernelOp kernelOf(LaunchOp launch, mlir::SymbolTableCollection& symbols);

} // namespace llcuda::plan
