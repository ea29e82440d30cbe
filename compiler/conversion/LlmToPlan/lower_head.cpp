// SPDX-License-Identifier: Apache-2.0
// Logits and the sampled token: codegen/spec/{linear,sample}_spec.h
#include "codegen/spec/elementwise_spec.h"
#include "codegen/spec/linear_spec.h"
#include "codegen/spec/sample_spec.h"
#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;

// In prompt phases the norm before has picked the rows that are sampled, or they are picked here. The cap of many rows
// is a launch of its own.
LogicalResult PhaseLowering::lowerHead(HeadOp op) {
  RowBuffers input = values[op.getInput()];
  if (!tail)
    tail = plan::TailKind::Sample;
  if (!facts.feedsBack && (!input.picked || tail != plan::TailKind::Sample)) {
    input = {};
    if (failed(pickNormed(op, input)))
      return failure();
  }
  const LinearWeights weights = {{op.getWeight()}, {}};
  const float cap = op.getSoftcap() ? op.getSoftcap()->convertToFloat() : 0;
  auto desc = describeLinear(op, weights, codegen::StoreRows{});
  if (failed(desc))
    return failure();
  desc->rows = static_cast<uint32_t>(outputs);
  desc->kernels = headKernels();
  const std::string logits = define(op, op.getLogits(), "logits", outputs).f32;
  Bindings bindings;
  if (!facts.feedsBack)
    bindings["positions"] = pickBuffer(); // -1 where nobody asks for a row, too
  if (desc->hasFewRows() || cap == 0) {
    desc->epilogue = codegen::StoreRows{.softcap = cap};
    bindings["y"] = logits;
    return emitLinear(op, *desc, input, weights, bindings);
  }
  const uint32_t columns = desc->parts[0].outputs;
  const std::string uncapped = scratch(op, "uncapped", outputs * columns * 4);
  bindings["y"] = uncapped;
  if (failed(emitLinear(op, *desc, input, weights, bindings)))
    return failure();
  return emit(op, codegen::softcapLaunch({desc->rows, columns}, cap), {{"x", uncapped}, {"y", logits}});
}

LogicalResult PhaseLowering::lowerSample(SampleOp op) {
  const codegen::SampleDesc desc = {static_cast<uint32_t>(outputs), static_cast<uint32_t>(vocabulary), facts.feedsBack};
  if (failed(accept(op, codegen::checkSample(desc))))
    return failure();
  Bindings bindings;
  bindings["partial"] = scratch(op, "sample_partial", static_cast<int64_t>(codegen::samplePartialBytes(desc)));
  bindings["arrivals"] = plan.counter(codegen::sampleArrivals(desc));
  tail = plan::TailKind::Sample;
  if (failed(emit(op, codegen::sampleLaunch(desc), bindings)))
    return failure();
  return lowerOtherTails(op);
}

} // namespace llcuda::llm
