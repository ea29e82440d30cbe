// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_PLAN_PLANOPS_TD
#define LLCUDA_DIALECTS_PLAN_PLANOPS_TD

include "dialects/plan/PlanDialect.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"

def Plan_EngineOp : Plan_Op<"engine", [IsolatedFromAbove, SymbolTable, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "An engine: kernels, buffers, phases";
  let description = [{
    - C1: `max_context`, `max_batch` and `page_tokens` are positive, `arena_bytes` is not negative.
    - C2: the body holds kernels, buffers, phases and edits only.
    - C3: no two phases have one number of rows, both or neither of which feed back.

    ```mlir
    plan.engine max_context 2048 max_batch 1 page_tokens 64 arena_bytes 0 {
      plan.buffer @tokens io 4 role tokens
    }
    ```
  }];
  let arguments = (ins I64Attr:$max_context, I64Attr:$max_batch, I64Attr:$page_tokens, I64Attr:$arena_bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `max_context` $max_context `max_batch` $max_batch `page_tokens` $page_tokens `arena_bytes` $arena_bytes
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;  // C1 .. C3
}

def Plan_KernelOp : Plan_Op<"kernel", [Symbol, HasParent<"EngineOp">]> {
  let summary = "One specialised kernel";
  let description = [{
    What `KernelSpec` of `codegen/spec` says; `call` in `header` is its source. The resources that the compiler reports
    are there once it is compiled.

    - C1: the name and `op` are of a to z, 0 to 9 and _; the names that `codegen/spec` makes end in a hash of the rest.
    - C2: `threads` is a positive multiple of 32, `min_blocks` is positive, `dynamic_shared` is not negative.
    - C3: `header` and `call` are not empty.
    - C4: parameters have distinct names and pointer types.
    - C5: `registers`, `static_shared` and `spill` are there together or not at all, none negative.

    ```mlir
    plan.kernel @rms_norm__f32__c576__t128 op "rms_norm" threads 128 min_blocks 1 dynamic_shared 0
        header "codegen/kernels/norm/rms_norm.cuh" call "rmsNorm<576, 128>(x, scale, y)"
        params [#plan.param<"x", "const float*", read>, #plan.param<"scale", "const float*", read>,
                #plan.param<"y", "float*", write>]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$op, I64Attr:$threads, I64Attr:$min_blocks,
                       I64Attr:$dynamic_shared, StrAttr:$header, StrAttr:$call,
                       TypedArrayAttrBase<Plan_ParamAttr, "parameters">:$params, OptionalAttr<I64Attr>:$registers,
                       OptionalAttr<I64Attr>:$static_shared, OptionalAttr<I64Attr>:$spill);
  let assemblyFormat = [{
    $sym_name `op` $op `threads` $threads `min_blocks` $min_blocks `dynamic_shared` $dynamic_shared
    `header` $header `call` $call `params` $params (`registers` $registers^ `static_shared` $static_shared `spill`
    $spill)? attr-dict
  }];
  let hasVerifier = 1;  // C1 .. C5
}

def Plan_BufferOp : Plan_Op<"buffer", [Symbol, HasParent<"EngineOp">]> {
  let summary = "A piece of device memory";
  let description = [{
    `bytes` is the size; of one page, for a pool of kv pages, which holds keys or values in an encoding; of one slot,
    for a state. `offset` is the place in the arena, or in the segment of the file. `window` says the group of a pool
    and of a block table: layers whose rows see the same number of positions share page numbers, in a table of their
    own; without it they see all.

    - C1: `bytes` is positive.
    - C2: io buffers, and no others, have a role.
    - C3: weights and constants, and no others, have a source.
    - C4: `offset` is a multiple of 256, not negative, and only weights, constants and arena buffers have one.
    - C5: `window` is positive, and for kv buffers and block tables only.
    - C6: kv buffers, and no others, have a `part` and a `type`, which is an encoding.

    ```mlir
    plan.buffer @x arena 2304 offset 256
    plan.buffer @k_pages_0 kv 24576 part keys type "f16" window 512
    plan.buffer @block_table_w512 io 512 window 512 role block_table
    plan.buffer @tokens io 4 role tokens
    plan.buffer @scale constant 2304 source #plan.tensor<name = "blk.0.attn_norm.weight", rows = 1, cols = 576,
                                                         encoding = f32, layout = f32_rows>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Plan_BufferKindAttr:$kind, I64Attr:$bytes,
                       OptionalAttr<I64Attr>:$offset, OptionalAttr<Plan_KvPartAttr>:$part,
                       OptionalAttr<StrAttr>:$kv_type, OptionalAttr<I64Attr>:$window,
                       OptionalAttr<Plan_IoRoleAttr>:$role,
                       OptionalAttr<AnyAttrOf<[Plan_TensorAttr, Plan_RopeTableAttr, ElementsAttrInterface]>>:$source);
  let assemblyFormat = [{
    $sym_name $kind $bytes (`offset` $offset^)? (`part` $part^)? (`type` $kv_type^)?
    (`window` $window^)? (`role` $role^)? (`source` $source^)? attr-dict
  }];
  let hasVerifier = 1;  // C1 .. C6
}

def Plan_PhaseOp : Plan_Op<"phase", [HasParent<"EngineOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "The launches of one step for a number of rows";
  let description = [{
    Rows from a multiple of `row_block` on belong to one slot. A phase that `feeds_back` makes of each row's output its
    next token (a decode step); without, `output_rows` says which rows are outputs (a prompt). Launches without a `tail`
    are the trunk; those of a tail may be left out, and those of one that scores `scores` rows be repeated. A phase of
    an encoder has one tail, which pools a row of each block: its outputs.

    - C1: `rows` is positive, `row_block` in 1 to `rows`, `outputs` in 1 to the number of blocks.
    - C2: the body holds launches only, at least one.
    - C3: a phase that feeds back has an output for each row.
    - C4: the launches of a tail stand together behind those of the trunk.
    - C5: `scores` is in 1 to `rows`, and there where a tail scores.

    ```mlir
    plan.phase rows 1 row_block 1 outputs 1 feeds_back {
      plan.launch @rms_norm__f32__c576__t128 grid [1, 1, 1] layer 0 args(@x, @scale, @y)
          work <rows = 1, fixed_bytes = 2304, row_read = 2304, row_written = 2304>
    }
    ```
  }];
  let arguments = (ins I64Attr:$rows, I64Attr:$row_block, I64Attr:$outputs, UnitAttr:$feeds_back,
                       OptionalAttr<I64Attr>:$scores);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `rows` $rows `row_block` $row_block `outputs` $outputs (`scores` $scores^)? (`feeds_back` $feeds_back^)?
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;  // C1 .. C5
}

def Plan_EditsOp : Plan_Op<"edits", [HasParent<"EngineOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "The launch that changes rows between steps";
  let description = [{
    Rows of phases that feed back join, leave and move, and block tables change, as the io buffer of role edits says.

    - C1: the body holds one launch and nothing else.

    ```mlir
    plan.edits {
      plan.launch @apply_edits__g1__0f5cc31a grid [1, 1, 1]
          args(@edits, @tokens, @positions, @slots, @sampling, @sampled, @block_table) work <rows = 1>
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasVerifier = 1;  // C1
}

def Plan_LaunchOp : Plan_Op<"launch", [ParentOneOf<["PhaseOp", "EditsOp"]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "One launch of a kernel";
  let description = [{
    Arguments stand in the order of the kernel's parameters, each a buffer and bytes from its start: `@y + 128`.
    `layer` is absent outside the layers, `tail` in the trunk of a phase. `work` is what the launch moves and computes.
    `tap` is the buffer that then holds the residual stream of the layer: f32 `[rows][embedding]` from its start.

    - C1: the sizes of the grid are positive.
    - C2: the kernel and the buffers exist in the engine.
    - C3: there is an argument for each parameter of the kernel.
    - C4: an offset is not negative and less than the buffer's bytes.
    - C5: nothing writes a weight or a constant.
    - C6: `layer` is not negative.
    - C7: `tap` is an arena buffer that the launch writes, and there is a layer.

    ```mlir
    plan.launch @rms_norm__f32__c576__t128 grid [1, 1, 1] layer 0 args(@x, @scale, @y + 128)
        work <rows = 1, fixed_bytes = 2304, row_read = 2304, row_written = 2304>
    plan.launch @add__f32__c576__t128 grid [1, 1, 1] layer 0 args(@x, @o, @sum)
        work <rows = 1, row_read = 4608, row_written = 2304> tap @sum
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, DenseI64ArrayAttr:$grid, OptionalAttr<I64Attr>:$layer,
                       OptionalAttr<Plan_TailKindAttr>:$tail,
                       TypedArrayAttrBase<FlatSymbolRefAttr, "buffers">:$buffers, DenseI64ArrayAttr:$offsets,
                       Plan_WorkAttr:$work, OptionalAttr<FlatSymbolRefAttr>:$tap);
  let assemblyFormat = [{
    $kernel `grid` $grid (`layer` $layer^)? (`tail` $tail^)? `args` `` custom<LaunchArguments>($buffers, $offsets)
    `work` $work (`tap` $tap^)? attr-dict
  }];
  let hasVerifier = 1;  // C1, C6, C7
}

#endif
