// SPDX-License-Identifier: Apache-2.0
// PlanMemory.cpp: offsets of arena buffers, by lifetime, largest first
#include "compiler/transforms/PlanMemory/PlanMemory.h"

#include "compiler/transforms/lifetimes.h"
#include "mlir/IR/Remarks.h"

namespace llcuda {
using namespace plan;
#define GEN_PASS_DEF_PLANMEMORY
#include "compiler/transforms/PlanMemory/PlanMemory.h.inc"

namespace {

struct Placed {
  int64_t begin;
  int64_t end;
  llvm::ArrayRef<Lifetime> lifetimes;
};

/// The lowest offset at which `bytes` lie beside everything that lives at the same time. `placed` is ordered by begin.
int64_t lowestFree(llvm::ArrayRef<Placed> placed, llvm::ArrayRef<Lifetime> lifetimes, int64_t bytes, bool reuse) {
  int64_t offset = 0;
  for (const Placed& other : placed) {
    if (reuse && !liveTogether(lifetimes, other.lifetimes))
      continue;
    if (offset + bytes <= other.begin)
      break;
    offset = std::max(offset, other.end);
  }
  return offset;
}

/// The most bytes that live at one launch.
int64_t mostLiveBytes(const Lifetimes& lifetimes) {
  llvm::DenseMap<std::pair<unsigned, unsigned>, int64_t> bytesAt;
  int64_t most = 0;
  for (const auto& [buffer, spans] : lifetimes)
    for (const Lifetime& span : spans)
      for (unsigned i = span.first; i <= span.last; ++i)
        most = std::max(most, bytesAt[{span.phase, i}] += alignedBytes(buffer));
  return most;
}

mlir::LogicalResult checkUses(const Lifetimes& lifetimes) {
  for (const auto& [key, spans] : lifetimes) {
    BufferOp buffer = key;
    if (spans.empty())
      return buffer.emitError() << "no launch uses the buffer @" << buffer.getSymName();
    for (const Lifetime& span : spans)
      if (span.readsFirst)
        return LaunchOp(span.opener).emitError()
               << "reads @" << buffer.getSymName() << " before anything in the phase writes it";
  }
  return mlir::success();
}

struct PlanMemory final : impl::PlanMemoryBase<PlanMemory> {
  using PlanMemoryBase::PlanMemoryBase;

  void runOnOperation() override {
    const Lifetimes lifetimes = lifetimesOf(getOperation());
    if (mlir::failed(checkUses(lifetimes)))
      return signalPassFailure();

    llvm::SmallVector<BufferOp> order = llvm::map_to_vector(lifetimes, [](const auto& entry) { return entry.first; });
    llvm::stable_sort(order, [](BufferOp a, BufferOp b) { return alignedBytes(a) > alignedBytes(b); });
    mlir::Builder builder(&getContext());
    llvm::SmallVector<Placed> placed;
    int64_t end = 0;
    for (BufferOp buffer : order) {
      const auto& spans = lifetimes.find(buffer)->second;
      const int64_t bytes = alignedBytes(buffer), offset = lowestFree(placed, spans, bytes, reuse);
      buffer.setOffsetAttr(builder.getI64IntegerAttr(offset));
      const Placed entry{offset, offset + bytes, spans};
      placed.insert(
          llvm::upper_bound(placed, entry, [](const Placed& a, const Placed& b) { return a.begin < b.begin; }), entry);
      end = std::max(end, entry.end);
    }
    getOperation().setArenaBytesAttr(builder.getI64IntegerAttr(end));
    mlir::remark::analysis(getOperation().getLoc(), mlir::remark::RemarkOpts::name("arena").category(getArgument()))
        << ("an arena of " + llvm::Twine(end) + " bytes; at most " + llvm::Twine(mostLiveBytes(lifetimes)) +
            " live at one launch")
               .str();
  }
};

} // namespace
} // namespace llcuda
