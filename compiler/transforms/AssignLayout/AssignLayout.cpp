// SPDX-License-Identifier: Apache-2.0
// AssignLayout.cpp: !llm.weight<NxK, q4_1> -> !llm.weight<NxK, q4_1, q4_1_planes>
#include "compiler/transforms/AssignLayout/AssignLayout.h"

#include "codegen/pack/pack.h"
#include "compiler/transforms/rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda {
using namespace llm;
#define GEN_PASS_DEF_ASSIGNLAYOUT
#include "compiler/transforms/AssignLayout/AssignLayout.h.inc"

namespace {

struct AssignLayout final : impl::AssignLayoutBase<AssignLayout> {
  void runOnOperation() override {
    for (ParameterOp parameter : collect<ParameterOp>(getOperation()))
      if (mlir::failed(assign(parameter)))
        signalPassFailure();
  }

  mlir::LogicalResult assign(ParameterOp parameter) {
    auto type = mlir::dyn_cast<WeightType>(parameter.getType());
    if (!type || type.getLayout())
      return mlir::success();
    const auto layout = formats::tensorTypeInfo(type.getEncoding()).layout;
    if (!layout)
      return parameter.emitError() << "no device layout keeps " << type.getEncodingName() << " of '"
                                   << parameter.getName() << "'";
    const auto bytes = pack::packedBytes(*layout, type.getRows(), type.getCols());
    if (!bytes)
      return parameter.emitError() << "'" << parameter.getName() << "': " << bytes.error().message;
    parameter.getResult().setType(type.withLayout(*layout));
    return mlir::success();
  }
};

} // namespace
} // namespace llcuda
