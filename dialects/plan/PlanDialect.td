// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_PLAN_PLANDIALECT_TD
#define LLCUDA_DIALECTS_PLAN_PLANDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::llcuda::plan";
  let summary = "Kernels, buffers, and launches in order";
  let description = [{
    What an engine file says, one op per record of `runtime/schema/engine.fbs`: a `plan.engine` holds kernels, buffers
    and phases, a phase holds launches. Names are symbols of the engine.
  }];
  let useDefaultAttributePrinterParser = 1;
}

class Plan_Op<string mnemonic, list<Trait> traits = []> : Op<Plan_Dialect, mnemonic, traits>;

class Plan_Enum<string name, string text, list<I32EnumAttrCase> cases> : I32EnumAttr<name, text, cases> {
  let cppNamespace = "::llcuda::plan";
}

// Numbers are those of engine.fbs.
def Plan_BufferKindAttr : Plan_Enum<"BufferKind", "what a buffer is for", [
    I32EnumAttrCase<"Weight", 0, "weight">, I32EnumAttrCase<"Constant", 1, "constant">,
    I32EnumAttrCase<"Arena", 2, "arena">, I32EnumAttrCase<"Kv", 3, "kv">, I32EnumAttrCase<"Io", 4, "io">,
    I32EnumAttrCase<"Counter", 5, "counter">, I32EnumAttrCase<"State", 6, "state">]>;

def Plan_KvPartAttr : Plan_Enum<"KvPart", "what of a cache a kv buffer holds", [
    I32EnumAttrCase<"Keys", 1, "keys">, I32EnumAttrCase<"Values", 2, "values">]>;

def Plan_IoRoleAttr : Plan_Enum<"IoRole", "what the host and the kernels pass each other in an io buffer", [
    I32EnumAttrCase<"Tokens", 1, "tokens">, I32EnumAttrCase<"Positions", 2, "positions">,
    I32EnumAttrCase<"Slots", 3, "slots">, I32EnumAttrCase<"OutputRows", 4, "output_rows">,
    I32EnumAttrCase<"Sampling", 5, "sampling">, I32EnumAttrCase<"BlockTable", 6, "block_table">,
    I32EnumAttrCase<"Logits", 7, "logits">, I32EnumAttrCase<"Sampled", 8, "sampled">,
    I32EnumAttrCase<"Edits", 9, "edits">, I32EnumAttrCase<"Samplers", 10, "samplers">,
    I32EnumAttrCase<"History", 11, "history">, I32EnumAttrCase<"LogitBiases", 12, "logit_biases">,
    I32EnumAttrCase<"DryBreakers", 13, "dry_breakers">, I32EnumAttrCase<"Masks", 14, "masks">,
    I32EnumAttrCase<"Scores", 15, "scores">, I32EnumAttrCase<"ScoreRows", 16, "score_rows">,
    I32EnumAttrCase<"ScoreTokens", 17, "score_tokens">, I32EnumAttrCase<"PoolRows", 18, "pool_rows">,
    I32EnumAttrCase<"Pooled", 19, "pooled">, I32EnumAttrCase<"SamplingReports", 20, "sampling_reports">,
    I32EnumAttrCase<"TextLengths", 21, "text_lengths">]>;

def Plan_TailKindAttr : Plan_Enum<"TailKind", "what a phase ends with", [
    I32EnumAttrCase<"Sample", 0, "sample">, I32EnumAttrCase<"Score", 1, "score">, I32EnumAttrCase<"Pool", 2, "pool">,
    I32EnumAttrCase<"Report", 3, "report">]>;

// Numbers are those of codegen/formats/launch_work.h too.
def Plan_ArithmeticUnit : Plan_Enum<"ArithmeticUnit", "what makes the multiply-adds of a launch", [
    I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Fp32", 1, "fp32">, I32EnumAttrCase<"Dp4a", 2, "dp4a">,
    I32EnumAttrCase<"TensorInt8", 3, "tensor_int8">, I32EnumAttrCase<"TensorF16", 4, "tensor_f16">]> {
  let genSpecializedAttr = 0;
}

def Plan_Access : Plan_Enum<"Access", "how a kernel uses the buffer behind a parameter", [
    I32EnumAttrCase<"Read", 0, "read">, I32EnumAttrCase<"Write", 1, "write">,
    I32EnumAttrCase<"ReadWrite", 2, "read_write">]> {
  let genSpecializedAttr = 0;
}

class Plan_Attr<string cppName, string attrMnemonic> : AttrDef<Plan_Dialect, cppName> {
  let mnemonic = attrMnemonic;
}

def Plan_ParamAttr : Plan_Attr<"Param", "param"> {
  let summary = "A parameter of a kernel: role, type as written in the entry, access";
  let description = "Every parameter is a device pointer: `#plan.param<\"x\", \"const float*\", read>`.";
  let parameters = (ins StringRefParameter<>:$name, StringRefParameter<>:$type, EnumParameter<Plan_Access>:$access);
  let assemblyFormat = "`<` $name `,` $type `,` $access `>`";
}

def Plan_WorkAttr : Plan_Attr<"Work", "work"> {
  let summary = "What a launch moves and computes";
  let description = [{
    The fields of `LaunchWork` in `codegen/formats/launch_work.h`: `<rows = 1, fixed_bytes = 4096, row_written = 256>`.

    - C1: `rows` is positive, nothing is negative.
    - C2: `experts` and `choices` are there together or not at all, at most as many choices as experts; without them
      there are no `expert_bytes` and `tile_rows`.
  }];
  let parameters = (ins "int64_t":$rows, DefaultValuedParameter<"int64_t", "0">:$window,
                        DefaultValuedParameter<"int64_t", "0">:$fixed_bytes,
                        DefaultValuedParameter<"int64_t", "0">:$row_read,
                        DefaultValuedParameter<"int64_t", "0">:$row_written,
                        DefaultValuedParameter<"int64_t", "0">:$key_bytes,
                        DefaultValuedParameter<"int64_t", "0">:$row_multiply_adds,
                        DefaultValuedParameter<"int64_t", "0">:$key_multiply_adds,
                        DefaultValuedParameter<"int64_t", "0">:$expert_bytes,
                        DefaultValuedParameter<"int64_t", "0">:$experts,
                        DefaultValuedParameter<"int64_t", "0">:$choices,
                        DefaultValuedParameter<"int64_t", "0">:$tile_rows,
                        DefaultValuedParameter<"ArithmeticUnit", "ArithmeticUnit::None">:$unit);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Plan_TensorAttr : Plan_Attr<"Tensor", "tensor"> {
  let summary = "Bytes that come from a tensor of the checkpoint";
  let description = [{
    The rows of the tensor from `first_row` on, in `encoding` in the checkpoint, stored in `layout`, both of
    `codegen/formats/encodings.inc`. `first_row`, `pair_rows` of `group_rows` and `plus` mean what they mean in
    `llm.parameter`; `group_rows` 0 is as many as `pair_rows`. A vector is one row.

    - C1: the name is not empty.
    - C2: `rows` and `cols` are positive, `first_row` and `pair_rows` not negative, `group_rows` 0 or at least
      `pair_rows`.
  }];
  let parameters = (ins StringRefParameter<>:$name, "int64_t":$rows, "int64_t":$cols,
                        "::llcuda::formats::TensorType":$encoding, "::llcuda::WeightLayout":$layout, DefaultValuedParameter<"int64_t", "0">:$first_row,
                        DefaultValuedParameter<"int64_t", "0">:$pair_rows,
                        DefaultValuedParameter<"int64_t", "0">:$group_rows, OptionalParameter<"::mlir::FloatAttr">:$plus);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Plan_RopeTableAttr : Plan_Attr<"RopeTable", "rope_table"> {
  let summary = "Bytes that are the cosines and sines of llm.rope_table";
  let description = [{
    f32 `[positions][frequencies][cos, sin]`, computed in double when the engine is written.

    - C1: there is at least one position and one frequency.
    - C2: the frequencies are f64.
    - C3: growth and its period are there together or not at all.
  }];
  let parameters = (ins "int64_t":$positions, "::mlir::ArrayAttr":$frequencies, "::mlir::FloatAttr":$magnitude,
                        OptionalParameter<"::mlir::FloatAttr">:$growth,
                        OptionalParameter<"::mlir::FloatAttr">:$growth_period);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif
