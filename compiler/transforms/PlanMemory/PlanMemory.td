// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def PlanMemory : Pass<"plan-memory", "::llcuda::plan::EngineOp"> {
  let summary = "Place the arena buffers of all phases in one static arena";
  let description = [{
    A buffer lives, in each phase, from the first launch that has it as an argument to the last; what a tail reads of
    the launches before it lives to the tail's end, since the tail may be run again. Buffers that live at the same time
    in some phase never overlap; all others may. Larger buffers are placed first, each at the lowest offset that is
    free, at multiples of 256 bytes. `arena_bytes` of the engine becomes the size of the arena.

    Fails at a buffer that a phase reads before it writes it, and at one that no launch uses.

    An analysis remark compares the arena with the most bytes that live at one launch, which no arena goes below.

    With `reuse=false` no two buffers overlap, so that a stray write shows.

    (* example filepath=tests/compiler/transforms/PlanMemory/doctest.mlir *)
  }];
  let dependentDialects = ["::llcuda::plan::PlanDialect"];
  let options = [Option<"reuse", "reuse", "bool", "true", "Let buffers that never live together share memory">];
}
