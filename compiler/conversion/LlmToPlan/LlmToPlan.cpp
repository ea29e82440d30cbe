// SPDX-License-Identifier: Apache-2.0
// LlmToPlan.cpp: @forward -> plan.engine, once for each phase
#include "compiler/conversion/LlmToPlan/LlmToPlan.h"

#include "codegen/spec/linear_spec.h"
#include "compiler/conversion/LlmToPlan/phase_lowering.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda {

#define GEN_PASS_DEF_LLMTOPLAN
#include "compiler/conversion/LlmToPlan/LlmToPlan.h.inc"

namespace {

constexpr int64_t kPageTokens = 64, kMaxBatch = 64, kRowBlock = 64;
/// Up to so many rows of a prompt the warps of a linear divide its inputs: codegen/spec/prompt_tile.h; up to
/// kMaxDecodeRows its lanes do.
constexpr int64_t kFewRows = 32;
/// Rows of a prompt that are scored at a time: their logits lie in the arena.
constexpr int64_t kScoredRows = 32;

struct LlmToPlan final : impl::LlmToPlanBase<LlmToPlan> {
  using LlmToPlanBase::LlmToPlanBase;
  LlmToPlan(LlmToPlanOptions options, codegen::TileTable tiles, codegen::TileRequests* requests)
      : LlmToPlanBase(std::move(options)), tiles(std::move(tiles)), requests(requests) {}

  void runOnOperation() override {
    auto forward = getOperation().lookupSymbol<mlir::func::FuncOp>("forward");
    if (!forward) {
      getOperation().emitError("has no function @forward");
      return signalPassFailure();
    }
    const int64_t batch = maxBatch, context = maxContext;
    if (batch < 1 || batch > kMaxBatch || context < 1) {
      forward.emitError("a batch of ") << batch << " at a context of " << context
                                       << " is not supported; batches of 1 to " << kMaxBatch << " are";
      return signalPassFailure();
    }
    bool encodes = false;
    forward.walk([&](llm::AttentionOp attention) { encodes |= attention.getBothWays(); });
    const std::vector<llm::PhaseFacts> list = encodes ? textPhases() : phases();
    tiles.anyRows = batchInvariant;
    if (batchInvariant && cutsDiffer(list)) {
      forward.emitError("prompt phases of up to ") << kFewRows << " rows beside larger ones are not batch-invariant";
      return signalPassFailure();
    }
    llm::PlanBuilder plan(getOperation(), {context, batch, kPageTokens}, tiles);
    const llvm::SmallVector<std::string> apartOps(apart.begin(), apart.end());
    for (const llm::PhaseFacts& facts : list)
      if (mlir::failed(llm::PhaseLowering(plan, facts, apartOps).lower(forward)))
        return signalPassFailure();
    if (mlir::failed(plan.edits()))
      return signalPassFailure();
    if (requests)
      *requests = plan.tileRequests();
    plan.finish();
    forward.erase();
  }

  /// Whether a prompt could be cut into linears that divide their inputs otherwise.
  static bool cutsDiffer(const std::vector<llm::PhaseFacts>& list) {
    int64_t fewest = 0, most = 0;
    for (const llm::PhaseFacts& facts : list)
      if (!facts.feedsBack) {
        fewest = fewest == 0 ? facts.rows : std::min(fewest, facts.rows);
        most = std::max(most, facts.rows);
      }
    return fewest <= kFewRows && fewest != most;
  }

  /// A prompt phase of more rows than a block holds several sequences, and says the next token of each. Few rows take
  /// the kernels of decode phases, which know the slot of each row.
  llm::PhaseFacts promptFacts(int64_t rows) const {
    const int64_t block = rows <= codegen::kMaxDecodeRows ? 1 : std::min(rows, kRowBlock);
    return {rows, block, std::min<int64_t>(maxBatch, (rows + block - 1) / block), false, std::min(rows, kScoredRows)};
  }

  /// The phases of an encoder, whose rows see all of their text: one holds it as a whole, the widest of them any text
  /// that the context has room for.
  std::vector<llm::PhaseFacts> textPhases() const {
    std::vector<llm::PhaseFacts> list;
    const int64_t context = maxContext;
    const auto add = [&](int64_t rows) { list.push_back({rows, kRowBlock, rows / kRowBlock, false, 0, true}); };
    for (int64_t rows = kRowBlock; rows < context; rows *= 4) add(rows);
    add((context + kRowBlock - 1) / kRowBlock * kRowBlock);
    return list;
  }

  std::vector<llm::PhaseFacts> phases() {
    std::vector<llm::PhaseFacts> list;
    // Up to kMaxDecodeRows the kernels give a row the same bits; above, only where all rows take one phase.
    for (int64_t rows = 1; rows < maxBatch; rows *= 2)
      if (!batchInvariant || rows <= codegen::kMaxDecodeRows)
        list.push_back({rows, 1, rows, true});
    list.push_back({maxBatch, 1, maxBatch, true});
    llvm::SmallVector<int64_t> sizes(promptRows.begin(), promptRows.end());
    if (sizes.empty())
      sizes =
          batchInvariant ? llvm::SmallVector<int64_t>{64, 128, 512} : llvm::SmallVector<int64_t>{8, 32, 64, 128, 512};
    const size_t decodePhases = list.size();
    for (const int64_t rows : sizes)
      if (rows <= maxContext)
        list.push_back(promptFacts(rows));
    if (list.size() == decodePhases)
      list.push_back(promptFacts(maxContext));
    return list;
  }

  codegen::TileTable tiles;
  codegen::TileRequests* requests = nullptr;
};

} // namespace

std::unique_ptr<mlir::Pass> createLlmToPlan(LlmToPlanOptions options, codegen::TileTable tiles,
                                            codegen::TileRequests* requests) {
  return std::make_unique<LlmToPlan>(std::move(options), std::move(tiles), requests);
}

} // namespace llcuda
