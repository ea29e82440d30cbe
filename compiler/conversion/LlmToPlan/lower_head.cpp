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
  const LinearWeights weights = {{op.getWeight()}, {}, {}};
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
  const PlanLimits& limits = plan.limits();
  const codegen::SampleDesc desc = {static_cast<uint32_t>(outputs), static_cast<uint32_t>(vocabulary),
                                    static_cast<uint32_t>(limits.maxBatch), static_cast<uint32_t>(limits.maxContext),
                                    facts.feedsBack};
  if (failed(accept(op, codegen::checkSample(desc))))
    return failure();
  const codegen::SampleSlotBytes bytes = codegen::sampleSlotBytes(desc);
  const std::pair<plan::IoRole, uint64_t> ofSlots[] = {{plan::IoRole::Samplers, bytes.samplers},
                                                       {plan::IoRole::History, bytes.history},
                                                       {plan::IoRole::LogitBiases, bytes.logitBiases},
                                                       {plan::IoRole::DryBreakers, bytes.dryBreakers},
                                                       {plan::IoRole::Masks, bytes.masks}};
  Bindings bindings;
  for (const auto& [role, size] : ofSlots)
    bindings[plan::stringifyIoRole(role).str()] = plan.slotIo(role, static_cast<int64_t>(size));
  bindings["adjusted"] = scratch(op, "adjusted_logits", outputs * vocabulary * 4);
  bindings["partial"] = scratch(op, "sample_partial", static_cast<int64_t>(codegen::samplePartialBytes(desc)));
  bindings["arrivals"] = plan.counter(codegen::sampleArrivals(desc));
  tail = plan::TailKind::Sample;
  if (failed(emit(op, codegen::sampleLaunch(desc), bindings)))
    return failure();
  return lowerOtherTails(op);
}

} // namespace llcuda::llm
