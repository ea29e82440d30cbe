// SPDX-License-Identifier: Apache-2.0
// Tails behind the one that samples: codegen/spec/{log_probabilities,elementwise}_spec.h
#include "codegen/spec/elementwise_spec.h"
#include "codegen/spec/log_probabilities_spec.h"
#include "compiler/conversion/LlmToPlan/phase_lowering.h"
#include "llvm/Support/MathExtras.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;

namespace {

/// The head that logits come from, through what is done to each of them; null where there is none.
HeadOp headOf(mlir::Value logits) {
  Operation* op = logits.getDefiningOp();
  while (llvm::isa_and_nonnull<ScaleOp, SoftcapOp>(op)) op = op->getOperand(0).getDefiningOp();
  return llvm::dyn_cast_or_null<HeadOp>(op);
}

} // namespace

LogicalResult PhaseLowering::lowerOtherTails(SampleOp op) {
  tail = plan::TailKind::Report;
  if (failed(emitLogProbabilities(op, plan::IoRole::Sampled)))
    return failure();
  HeadOp head = headOf(op.getLogits());
  if (facts.scores == 0 || !head)
    return success();
  return failed(lowerScore(op, head)) ? failure() : lowerPool(head, head.getInput());
}

LogicalResult PhaseLowering::emitLogProbabilities(SampleOp op, plan::IoRole tokens) {
  const codegen::LogProbabilitiesDesc desc = {static_cast<uint32_t>(outputs), static_cast<uint32_t>(vocabulary)};
  if (failed(accept(op, codegen::checkLogProbabilities(desc))))
    return failure();
  const auto bytes = static_cast<int64_t>(codegen::logProbabilitiesPartialBytes(desc));
  return emit(op, codegen::logProbabilitiesLaunch(desc),
              {{"logits", values[op.getLogits()].f32},
               {"scored", plan.io(facts, tokens, ioBytes(tokens))},
               {"partial", scratch(op, "score_partial", bytes)},
               {"arrivals", plan.counter(outputs)}});
}

// The ops from the head on once more, for the rows that are scored.
LogicalResult PhaseLowering::lowerScore(SampleOp op, HeadOp head) {
  tail = plan::TailKind::Score;
  outputs = facts.scores;
  phase.setScores(facts.scores);
  for (Operation* next = head; next != op; next = next->getNextNode())
    if (llvm::isa<HeadOp, ScaleOp, SoftcapOp>(next) && failed(lowerOp(next)))
      return failure();
  return emitLogProbabilities(op, plan::IoRole::ScoreTokens);
}

// All rows as f32: which of them are summed is said when it runs.
LogicalResult PhaseLowering::lowerPool(Operation* op, mlir::Value input) {
  tail = plan::TailKind::Pool;
  outputs = llvm::divideCeil(rows, facts.rowBlock);
  RowBuffers normed = values[input];
  const int64_t columns = columnsOf(input);
  if (headNorm.op) {
    normed = {};
    normed.rows = rows;
    normed.f32 = scratch(op, "pool_normed", rows * columns * 4);
    const std::string sum = headNorm.postScale ? scratch(op, "pool_sum", rows * columns * 4) : "";
    if (failed(emitNorm(headNorm, normed, /*picked=*/false, sum)))
      return failure();
  }
  if (normed.f32.empty())
    return op->emitOpError("reads int8 rows that no norm picked");
  const codegen::ElementsDesc desc = {static_cast<uint32_t>(outputs), static_cast<uint32_t>(columns)};
  if (failed(accept(op, codegen::checkElements("sum_rows", desc))))
    return failure();
  return emit(op, codegen::sumRowsLaunch(desc, static_cast<uint32_t>(facts.rowBlock)),
              {{"x", normed.f32}, {"pooled", plan.io(facts, plan::IoRole::Pooled, outputs * columns * 4)}});
}

LogicalResult PhaseLowering::lowerReturn(mlir::func::ReturnOp op) {
  return facts.encodes ? lowerPool(op, op.getOperand(0)) : success();
}

LogicalResult PhaseLowering::pickNormed(HeadOp op, RowBuffers& picked) {
  if (!headNorm.op)
    return pickRows(op, op.getInput(), picked);
  const int64_t columns = columnsOf(op.getInput());
  picked.rows = outputs;
  picked.picked = true;
  if (isQ8Rows(op.getInput().getType()))
    addCodes(op, picked, orderOf(/*picked=*/true), "picked", columns);
  else
    picked.f32 = scratch(op, "picked", outputs * columns * 4);
  const std::string sum = headNorm.postScale ? scratch(op, "picked_sum", outputs * columns * 4) : "";
  return emitNorm(headNorm, picked, /*picked=*/true, sum);
}

std::string PhaseLowering::pickBuffer() {
  const plan::IoRole role = tail == plan::TailKind::Score ? plan::IoRole::ScoreRows : plan::IoRole::OutputRows;
  return plan.io(facts, role, ioBytes(role));
}

} // namespace llcuda::llm
