// SPDX-License-Identifier: Apache-2.0
// Logits and the sampled token: codegen/spec/{linear,sample}_spec.h
#include "codegen/spec/elementwise_spec.h"
#include "codegen/spec/linear_prompt_spec.h"
#include "codegen/spec/linear_spec.h"
#include "codegen/spec/sample_spec.h"
#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;

// In prompt phases the norm before has picked the rows that are wanted, or they are picked here.
LogicalResult PhaseLowering::lowerHead(HeadOp op) {
  RowBuffers input = values[op.getInput()];
  if (!facts.feedsBack && !input.picked) {
    input = {};
    if (failed(pickRows(op, op.getInput(), input)))
      return failure();
  }
  const auto layout = layoutOf(op, op.getWeight());
  Bindings bindings;
  if (failed(layout) || failed(bindInput(op, input, columnsOf(op.getInput()), *layout, bindings)))
    return failure();
  const auto type = llvm::cast<WeightType>(op.getWeight().getType());
  bindings["weight"] = weightBuffer(op.getWeight());
  if (outputs > codegen::kMaxDecodeRows)
    return emitWideHead(op, *layout, bindings);
  codegen::LinearDesc desc;
  desc.layout = *layout;
  desc.rows = static_cast<uint32_t>(outputs);
  desc.inputs = static_cast<uint32_t>(type.getCols());
  desc.outputs = static_cast<uint32_t>(type.getRows());
  desc.softcap = op.getSoftcap() ? op.getSoftcap()->convertToFloat() : 0;
  if (failed(accept(op, codegen::checkLinear(desc))))
    return failure();
  bindings["y"] = define(op, op.getLogits(), "logits", outputs).f32;
  return emit(op, codegen::linearLaunch(desc, plan.tiles()), bindings);
}

// The rows of a wide decode phase, by tensor cores; a cap is a launch of its own.
LogicalResult PhaseLowering::emitWideHead(HeadOp op, WeightLayout layout, Bindings& bindings) {
  const auto type = llvm::cast<WeightType>(op.getWeight().getType());
  codegen::LinearPromptDesc desc;
  desc.layout = layout;
  desc.rows = static_cast<uint32_t>(outputs);
  desc.inputs = static_cast<uint32_t>(type.getCols());
  desc.outputs = static_cast<uint32_t>(type.getRows());
  if (failed(accept(op, codegen::checkLinearPrompt(desc))))
    return failure();
  const std::string logits = define(op, op.getLogits(), "logits", outputs).f32;
  bindings["y"] = op.getSoftcap() ? scratch(op, "uncapped", outputs * type.getRows() * 4) : logits;
  if (failed(emit(op, codegen::linearPromptLaunch(desc, plan.tiles()), bindings)))
    return failure();
  if (!op.getSoftcap())
    return mlir::success();
  return emit(op, codegen::softcapLaunch({desc.rows, desc.outputs}, op.getSoftcap()->convertToFloat()),
              {{"x", bindings["y"]}, {"y", logits}});
}

LogicalResult PhaseLowering::lowerSample(SampleOp op) {
  const codegen::SampleDesc desc = {static_cast<uint32_t>(outputs), static_cast<uint32_t>(vocabulary), facts.feedsBack};
  if (failed(accept(op, codegen::checkSample(desc))))
    return failure();
  Bindings bindings;
  bindings["partial"] = scratch(op, "sample_partial", static_cast<int64_t>(codegen::samplePartialBytes(desc)));
  bindings["arrivals"] = plan.counter(codegen::sampleArrivals(desc));
  return emit(op, codegen::sampleLaunch(desc), bindings);
}

} // namespace llcuda::llm
