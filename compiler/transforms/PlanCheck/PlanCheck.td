// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def PlanCheck : Pass<"plan-check", "::llcuda::plan::EngineOp"> {
  let summary = "Refuse a plan that a T4 cannot run";
  let description = [{
    Nothing is changed. Fails at every kernel, launch and buffer that breaks a rule, naming it and the limit
    (`codegen/spec/t4.h`):

    - C1: a block has at most 1024 threads.
    - C2: static and dynamic shared memory of a block are at most 64 KiB, static alone at most 48 KiB.
    - C3: `min_blocks` blocks fit one multiprocessor: 1024 threads, 64 KiB, 65,536 registers.
    - C4: a thread has at most 255 registers, and no spills unless `allow-spills`.
    - C5: a grid is at most 2,147,483,647 x 65,535 x 65,535.
    - C6: every arena buffer has an offset, and ends inside the arena.
    - C7: buffers that live together do not overlap.
    - C8: every phase writes an io buffer of role `sampled`, or, where its only tail pools, one of role `pooled`.

    What the compiler reports of a kernel (registers, static shared memory, spills) is checked once it is known.

    (* example filepath=tests/compiler/transforms/PlanCheck/doctest.mlir *)
  }];
  let options = [Option<"allowSpills", "allow-spills", "bool", "false", "Let kernels spill registers to memory">];
}
