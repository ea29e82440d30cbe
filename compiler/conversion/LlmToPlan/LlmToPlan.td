// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def LlmToPlan : Pass<"llm-to-plan", "::mlir::ModuleOp"> {
  let summary = "The forward pass as kernels, buffers and launches, once for each phase";
  let description = [{
    `@forward` becomes a `plan.engine` with a decode phase of 1, 2, 4, ... rows up to `max-batch` and a prompt phase for
    each of `prompt-rows` that the context can fill (of `max-context` rows when it can fill none). Each op becomes the
    launches of `codegen/spec`: one in decode phases, where a weight is read once for few rows, and in prompt phases one
    for each linear by tensor cores and one for what stands between them. In prompt phases each block of 64 rows is of
    one sequence, with an output for each block, up to `max-batch`; the last norm picks the rows whose logits are
    wanted. A prompt phase of up to 8 rows takes the kernels of a decode phase, so that its rows have the same bits;
    each of them may be of another sequence. In decode phases qkv_rope_cache takes two launches where heads are normed
    or turn in halves, and so does every op that `apart` names. What the fusions left has a launch of its own.

    Layers whose attention sees the same window of the context are a group: their pools share page numbers, which stand
    in a block table of the group, and a page that the window has passed is given back.

    With `batch-invariant` the bits of a row depend on its own tokens, not on the rows beside it or on how a prompt is
    cut: of the decode phases of more than 8 rows there is only the widest, whose kernels all such batches share, and
    prompt phases have 64, 128, 512 rows, whose linears are cut alike. Phases of up to 8 rows are so in any case.

    Refuses, naming the op: weights without a device layout, shapes that no kernel does, keys and values in types
    that `codegen/formats/kv_types.inc` does not have.

    Weights, constants, pools and counters are shared by all phases; io buffers are shared by the phases of a kind;
    buffers of the arena belong to one phase and get their places by `plan-memory`.

    (* example filepath=tests/compiler/conversion/LlmToPlan/doctest.mlir *)
  }];
  let dependentDialects = ["::llcuda::plan::PlanDialect"];
  let options = [Option<"maxContext", "max-context", "int64_t", "2048", "Positions a sequence may have">,
                 Option<"maxBatch", "max-batch", "int64_t", "1", "Sequences a session may have">,
                 ListOption<"promptRows", "prompt-rows", "int64_t", "Rows of the prompt phases, default 8,32,64,128,512">,
                 Option<"batchInvariant", "batch-invariant", "bool", "false",
                        "The same bits for a row whatever is beside it">,
                 ListOption<"apart", "apart", "std::string", "Ops whose decode phases take a launch for the linears and one "
                            "for what follows: qkv_rope_cache, linear_residual_norm">];
}
