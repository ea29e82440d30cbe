// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_LLM_LLMDIALECT_TD
#define LLCUDA_DIALECTS_LLM_LLMDIALECT_TD

include "mlir/IR/DialectBase.td"
include "mlir/IR/OpBase.td"

def Llm_Dialect : Dialect {
  let name = "llm";
  let cppNamespace = "::llcuda::llm";
  let summary = "What a language model computes";
  let description = [{
    SSA over tensors, one op per step of the model. A forward pass is one function; its arguments carry `llm.io`, the
    name of the io buffer they stand for:

    ```mlir
    func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"},
                       %positions: tensor<?xi32> {llm.io = "positions"},
                       %slots: tensor<?xi32> {llm.io = "slots"},
                       %output_rows: tensor<?xi32> {llm.io = "output_rows"},
                       %sampling: tensor<?x!llm.sampling> {llm.io = "sampling"})
        -> (tensor<?x49152xf32>, tensor<?xi32>)
    ```

    That of an encoder, whose attention is `both_ways`, has the first three and returns the rows of its texts.

    A *row* is one token of one sequence. `positions` is its position, -1 for an unused row, which writes no cache and
    whose values are ignored; `slots` is its sequence. Activations are `tensor<?xCxf32>`, or int8 rows
    `tensor<?xCx!llm.q8>`: for every 32 columns a scale `d = max|x| / 127` and codes `round(x / d)`.

    Weights are `!llm.weight` values made by `llm.parameter`, which names a tensor of the checkpoint. Vectors (norm
    scales, biases) are f32 tensors made by the same op.

    Discardable attributes: `llm.layer`, an integer >= 0 on any op, the layer it belongs to; `llm.io`, a string on
    arguments of a function.
  }];
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
}

class Llm_Op<string mnemonic, list<Trait> traits = []> : Op<Llm_Dialect, mnemonic, traits>;

#endif
