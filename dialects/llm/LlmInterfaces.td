// SPDX-License-Identifier: Apache-2.0
// What passes ask of ops without knowing which they are.
#ifndef LLCUDA_DIALECTS_LLM_LLMINTERFACES_TD
#define LLCUDA_DIALECTS_LLM_LLMINTERFACES_TD

include "mlir/IR/OpBase.td"

def Llm_MultipliesRows : OpInterface<"MultipliesRows"> {
  let cppNamespace = "::llcuda::llm";
  let description = [{
    The op multiplies the rows of its operand `input` with weights, its operands of that type. It reads them as int8
    rows where all weights take those. An op with several weights has an optional operand `int8_input`: int8 rows beside
    the f32 rows, for the weights that take them where others do not.
  }];
  let methods = [
    InterfaceMethod<"The rows.", "::mlir::OpOperand&", "getInputMutable">,
    InterfaceMethod<"None or one: the int8 rows beside f32 rows.", "::mlir::MutableOperandRange", "getInt8InputMutable",
                    (ins), [{}], [{ return ::mlir::MutableOperandRange($_op.getOperation(), 0, 0); }]>
  ];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::TypedValue<WeightType>> getWeights();
    /// The rows that are multiplied with `weight`: the int8 rows, if they are there and the weight takes them.
    ::mlir::Value getRowsFor(::mlir::TypedValue<WeightType> weight);
  }];
}

def Llm_EmitsRows : OpInterface<"EmitsRows"> {
  let cppNamespace = "::llcuda::llm";
  let description = [{
    The op can make a result as int8 rows, in the launch that makes it as f32 rows: the result's type says which.
  }];
  let methods = [
    InterfaceMethod<"The result.", "::mlir::OpResult", "getEmittedRows", (ins), [{}],
                    [{ return $_op->getOpResult(0); }]>
  ];
}

#endif
