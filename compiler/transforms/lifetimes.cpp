// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/lifetimes.h"

#include "llvm/Support/MathExtras.h"

namespace llcuda::plan {

static void useIn(Lifetimes& lifetimes, unsigned phase, unsigned index, LaunchOp launch,
                  const LaunchArgument& argument) {
  auto& spans = lifetimes[argument.buffer];
  const bool reads = argument.param.getAccess() != Access::Write;
  if (spans.empty() || spans.back().phase != phase)
    spans.push_back({phase, index, index, launch, reads});
  else if (spans.back().first == index)
    spans.back().readsFirst |= reads;
  spans.back().last = index;
}

/// The last launch of the tail of each launch; its own index in the trunk.
static llvm::SmallVector<unsigned> tailEnds(PhaseOp phase) {
  llvm::SmallVector<std::optional<TailKind>> tails;
  for (LaunchOp launch : phase.getOps<LaunchOp>()) tails.push_back(launch.getTail());
  llvm::SmallVector<unsigned> ends(tails.size());
  for (unsigned i = static_cast<unsigned>(tails.size()); i-- > 0;)
    ends[i] = tails[i] && i + 1 < tails.size() && tails[i + 1] == tails[i] ? ends[i + 1] : i;
  return ends;
}

Lifetimes lifetimesOf(EngineOp engine) {
  Lifetimes lifetimes;
  for (BufferOp buffer : engine.getOps<BufferOp>())
    if (buffer.getKind() == BufferKind::Arena)
      lifetimes[buffer];
  mlir::SymbolTableCollection symbols;
  for (auto [phase, phaseOp] : llvm::enumerate(engine.getOps<PhaseOp>())) {
    for (auto [index, launch] : llvm::enumerate(phaseOp.getOps<LaunchOp>()))
      for (const LaunchArgument& argument : argumentsOf(launch, symbols))
        if (BufferOp(argument.buffer).getKind() == BufferKind::Arena)
          useIn(lifetimes, phase, index, launch, argument);
    const llvm::SmallVector<unsigned> ends = tailEnds(phaseOp);
    for (auto& [buffer, spans] : lifetimes)
      if (!spans.empty() && spans.back().phase == phase && ends[spans.back().first] != ends[spans.back().last])
        spans.back().last = ends[spans.back().last];
  }
  return lifetimes;
}

bool liveTogether(llvm::ArrayRef<Lifetime> a, llvm::ArrayRef<Lifetime> b) {
  return llvm::any_of(a, [&](const Lifetime& one) {
    return llvm::any_of(b, [&](const Lifetime& other) {
      return one.phase == other.phase && one.first <= other.last && other.first <= one.last;
    });
  });
}

int64_t alignedBytes(BufferOp buffer) {
  return static_cast<int64_t>(llvm::alignTo(buffer.getBytes(), kBufferAlignment));
}

} // namespace llcuda::plan
