// SPDX-License-Identifier: Apache-2.0
// PlanCheck.cpp: the limits of SM 7.5, and the memory plan once more by other means
//
// The labels C1, C2, ... are those of the pass description.
#include "compiler/transforms/PlanCheck/PlanCheck.h"

#include "codegen/spec/t4.h"
#include "compiler/transforms/lifetimes.h"
#include "llvm/Support/MathExtras.h"

namespace llcuda {
using namespace plan;
#define GEN_PASS_DEF_PLANCHECK
#include "compiler/transforms/PlanCheck/PlanCheck.h.inc"

namespace {

namespace t4 = codegen::t4;

constexpr uint64_t kMaxGrid[] = {2147483647, 65535, 65535};
// Registers are given to a warp in units of 256, eight for each thread.
constexpr uint64_t kRegisterUnit = 8;

struct PlanCheck final : impl::PlanCheckBase<PlanCheck> {
  using PlanCheckBase::PlanCheckBase;

  void runOnOperation() override {
    EngineOp engine = getOperation();
    for (KernelOp kernel : engine.getOps<KernelOp>()) checkKernel(kernel);
    for (PhaseOp phase : engine.getOps<PhaseOp>()) checkPhase(phase);
    checkArena(engine);
    markAllAnalysesPreserved();
  }

  mlir::InFlightDiagnostic refuse(mlir::Operation* op) {
    signalPassFailure();
    return op->emitError();
  }

  void checkKernel(KernelOp kernel) {
    const uint64_t threads = kernel.getThreads(), blocks = kernel.getMinBlocks();
    const uint64_t staticShared = kernel.getStaticShared().value_or(0);
    const uint64_t shared = staticShared + kernel.getDynamicShared();
    if (threads > t4::kThreadsPerBlock) // C1
      refuse(kernel) << "@" << kernel.getSymName() << " has " << threads << " threads, a block has at most "
                     << t4::kThreadsPerBlock;
    if (shared > t4::kSharedBytesPerMultiprocessor) // C2
      refuse(kernel) << "@" << kernel.getSymName() << " needs " << shared
                     << " bytes of shared memory, a block has at most " << t4::kSharedBytesPerMultiprocessor;
    if (staticShared > t4::kStaticSharedBytes) // C2
      refuse(kernel) << "@" << kernel.getSymName() << " needs " << staticShared
                     << " bytes of static shared memory, a block has at most " << t4::kStaticSharedBytes;
    checkOccupancy(kernel, blocks, threads, shared);
    if (kernel.getSpill().value_or(0) > 0 && !allowSpills) // C4
      refuse(kernel) << "@" << kernel.getSymName() << " spills " << *kernel.getSpill() << " bytes of registers";
  }

  void checkOccupancy(KernelOp kernel, uint64_t blocks, uint64_t threads, uint64_t shared) {
    const uint64_t registers = kernel.getRegisters().value_or(0);
    if (registers > t4::kRegistersPerThread) // C4
      refuse(kernel) << "@" << kernel.getSymName() << " has " << registers << " registers, a thread has at most "
                     << t4::kRegistersPerThread;
    const auto fits = [&](uint64_t needed, uint64_t limit, llvm::StringRef what) { // C3
      if (needed > limit)
        refuse(kernel) << "@" << kernel.getSymName() << " needs " << needed << " " << what << " for " << blocks
                       << " blocks, a multiprocessor has " << limit;
    };
    fits(blocks * threads, t4::kThreadsPerMultiprocessor, "threads");
    fits(blocks * shared, t4::kSharedBytesPerMultiprocessor, "bytes of shared memory");
    fits(blocks * threads * llvm::alignTo(registers, kRegisterUnit), t4::kRegistersPerMultiprocessor, "registers");
  }

  void checkPhase(PhaseOp phase) {
    mlir::SymbolTableCollection symbols;
    bool samples = false, pools = false;
    const bool encodes = llvm::all_of(phase.getOps<LaunchOp>(), [](LaunchOp launch) {
      return !launch.getTail() || launch.getTail() == TailKind::Pool;
    });
    for (LaunchOp launch : phase.getOps<LaunchOp>()) {
      for (unsigned i = 0; i < 3; ++i)
        if (static_cast<uint64_t>(launch.getGrid()[i]) > kMaxGrid[i]) // C5
          refuse(launch) << "size " << i << " of the grid is " << launch.getGrid()[i] << ", at most " << kMaxGrid[i];
      for (const LaunchArgument& argument : argumentsOf(launch, symbols)) {
        const bool writes = argument.param.getAccess() != Access::Read;
        samples |= writes && BufferOp(argument.buffer).getRole() == IoRole::Sampled;
        pools |= writes && BufferOp(argument.buffer).getRole() == IoRole::Pooled;
      }
    }
    if (!samples && !(encodes && pools)) // C8
      refuse(phase) << "no launch of the phase writes the sampled tokens";
  }

  void checkArena(EngineOp engine) {
    llvm::SmallVector<std::pair<BufferOp, llvm::SmallVector<Lifetime, 2>>> placed;
    for (auto& [key, spans] : lifetimesOf(engine)) {
      BufferOp buffer = key;
      if (!buffer.getOffset()) // C6
        refuse(buffer) << "@" << buffer.getSymName() << " has no place in the arena";
      else if (*buffer.getOffset() + buffer.getBytes() > engine.getArenaBytes()) // C6
        refuse(buffer) << "@" << buffer.getSymName() << " ends at " << *buffer.getOffset() + buffer.getBytes()
                       << ", the arena has " << engine.getArenaBytes() << " bytes";
      else
        placed.push_back({buffer, spans});
    }
    for (size_t i = 0; i < placed.size(); ++i)
      for (size_t j = 0; j < i; ++j) checkApart(placed[j], placed[i]);
  }

  template <typename Entry>
  void checkApart(Entry& a, Entry& b) {
    const uint64_t beginA = *a.first.getOffset(), beginB = *b.first.getOffset();
    const bool overlap = beginA < beginB + b.first.getBytes() && beginB < beginA + a.first.getBytes();
    if (overlap && liveTogether(a.second, b.second)) // C7
      refuse(b.first) << "@" << b.first.getSymName() << " overlaps @" << a.first.getSymName()
                      << ", which lives at the same time";
  }
};

} // namespace
} // namespace llcuda
