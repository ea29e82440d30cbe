// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_LLM_LLMTYPES_TD
#define LLCUDA_DIALECTS_LLM_LLMTYPES_TD

include "dialects/llm/LlmDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/EnumAttr.td"

class Llm_Type<string cppName, string typeMnemonic> : TypeDef<Llm_Dialect, cppName> {
  let mnemonic = typeMnemonic;
}

def Llm_WeightType : Llm_Type<"Weight", "weight"> {
  let summary = "A matrix of encoded weights";
  let description = [{
    `!llm.weight<NxK, encoding>` or `!llm.weight<NxK, encoding, layout>`: N output rows of K columns each. The encoding
    and the layout are names of `codegen/formats/encodings.inc`; the layout, once `llm-assign-layout` has chosen it,
    says how the device stores it. A linear computes `x * w^T`.

    - C1: N and K are positive.
    - C2: K is a multiple of the encoding's block.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "::llcuda::formats::TensorType":$encoding,
                        "std::optional<::llcuda::WeightLayout>":$layout);
  let builders = [TypeBuilder<(ins "int64_t":$rows, "int64_t":$cols, "::llcuda::formats::TensorType":$encoding),
                              [{ return $_get($_ctxt, rows, cols, encoding, std::nullopt); }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Lower-case name of the encoding: "q4_1".
    ::llvm::StringRef getEncodingName() const;
    /// The same weight in a device layout.
    WeightType withLayout(::llcuda::WeightLayout layout) const;
  }];
}

def Llm_CacheType : Llm_Type<"Cache", "cache"> {
  let summary = "Keys and values of one layer, as far as they are written";
  let description = [{
    `!llm.cache<layer L, HxD, k, v>`: H kv heads of D elements, stored in the encodings k and v. The value stands for
    the pool of that layer after the write that made it, so that a reader of it follows the write.

    - C1: the layer is not negative; H and D are positive.
  }];
  let parameters = (ins "int64_t":$layer, "int64_t":$heads, "int64_t":$headSize,
                        "::llcuda::formats::TensorType":$keyEncoding, "::llcuda::formats::TensorType":$valueEncoding);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Columns of a row of keys or values.
    int64_t getColumns() const { return getHeads() * getHeadSize(); }
  }];
}

def Llm_Q8Type : Llm_Type<"Q8", "q8"> {
  let summary = "Element of an int8 row: a code, and a share in the scale and the sum of its 32";
}

def Llm_SamplingType : Llm_Type<"Sampling", "sampling"> {
  let summary = "SamplingParams of codegen/formats/sampling.h, one for each row of logits";
}

// Pairs of a rotation.
def Llm_RopePairsAttr : I32EnumAttr<"RopePairs", "which columns of a head turn together", [
    I32EnumAttrCase<"Adjacent", 0, "adjacent">,   // (2i, 2i + 1)
    I32EnumAttrCase<"Halves", 1, "halves">]> {    // (i, i + N) of the 2N that turn
  let cppNamespace = "::llcuda::llm";
}

// Activation of a unit, as codegen/formats/activation.h has them.
def Llm_ActivationAttr : I32EnumAttr<"Activation", "activation of a unit", [
    I32EnumAttrCase<"Silu", 0, "silu">,
    I32EnumAttrCase<"GeluTanh", 1, "gelu_tanh">,
    I32EnumAttrCase<"SwigluOai", 2, "swiglu_oai">,
    I32EnumAttrCase<"Sigmoid", 3, "sigmoid">,
    I32EnumAttrCase<"GeluErf", 4, "gelu_erf">,
    I32EnumAttrCase<"Tanh", 5, "tanh">]> {
  let cppNamespace = "::llcuda::llm";
}

// Short names of what ops take.
def Llm_FloatRows : 2DTensorOf<[F32]>;
def Llm_Rows : 2DTensorOf<[F32, Llm_Q8Type]>;  // f32, or int8 rows
def Llm_Q8Rows : 2DTensorOf<[Llm_Q8Type]>;
def Llm_Vector : 1DTensorOf<[F32]>;
def Llm_RopeTable : 3DTensorOf<[F32]>;         // [position][pair][cos, sin]
def Llm_RowIndex : 1DTensorOf<[I32]>;          // tokens, positions, slots, output rows
def Llm_Choices : 2DTensorOf<[I32]>;           // [row][choice]: an expert
def Llm_SamplingRows : 1DTensorOf<[Llm_SamplingType]>;

#endif
