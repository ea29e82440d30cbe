// SPDX-License-Identifier: Apache-2.0
// What carries a sequence on in a state of fixed size, one of each layer and slot, in place of a cache that grows. Rows
// of a sequence in one step are those of positions that follow one another; the state is what those before them left.
// It is zero where position 0 is computed. Rows of position -1 change no state, and their results are ignored.
#ifndef LLCUDA_DIALECTS_LLM_LLMSTATEOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMSTATEOPS_TD

def Llm_StateResource : Resource<"::llcuda::llm::StateResource">;

class Llm_StateOp<string mnemonic, list<Trait> traits = []>
    : Llm_Op<mnemonic, traits # [MemoryEffects<[MemRead<Llm_StateResource>, MemWrite<Llm_StateResource>]>]>;

def Llm_ShortConvOp : Llm_StateOp<"short_conv", [Llm_EmitsRows]> {
  let summary = "Convolution of each column over the last rows of its sequence";
  let description = [{
    For row r at position p of sequence s, column c of N, and K taps a column, the last of the row itself:

    ```
    u[s, p, c]   = input[r, c]                          gated: input[r, c] * input[r, 2N + c]
    y            = sum_j taps[K c + j] * u[s, p - K + 1 + j, c]      u at negative positions is 0
    result[r, c] = y                                    gated: input[r, N + c] * y;  silu: y / (1 + exp(-y))
    ```

    The state of `layer` holds u of the last positions.

    - C1: `result` has N columns, statically, a multiple of 32 in int8 rows; `input` as many or, if gated, three times
      as many.
    - C2: `taps` has K elements for each column, K from 2 to 8.
    - C3: `input` and `result` have the same number of rows, and there is a position and a slot for each.
    - C4: `layer` is not negative.
    - C5: what is gated has no silu.

    ```mlir
    %y = llm.short_conv gated %x, %w, %positions, %slots layer 0
        : (tensor<?x6144xf32>, tensor<6144xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x2048xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, Llm_Vector:$taps, Llm_RowIndex:$positions, Llm_RowIndex:$slots,
                       I64Attr:$layer, UnitAttr:$gated, UnitAttr:$silu);
  let results = (outs Llm_Rows:$result);
  let assemblyFormat = [{
    (`gated` $gated^)? (`silu` $silu^)? $input `,` $taps `,` $positions `,` $slots `layer` $layer attr-dict
    `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// Taps of a column.
    int64_t getTapCount();
  }];
  let hasVerifier = 1;  // C1 .. C5
}

def Llm_DeltaRuleOp : Llm_StateOp<"delta_rule"> {
  let summary = "Gated delta rule: linear attention that corrects what a key stood for";
  let description = [{
    `input` holds queries and keys of `key_heads` heads and values of `value_heads` heads of D elements, one after the
    other. For row r, value head h and its key head g, with a D x D state S of each value head, from key to value:

    ```
    g     = h mod key_heads                             grouped: h / (value_heads / key_heads)
    q, k  = query[r, g] / (norm * sqrt(D)), key[r, g] / norm      norm = sqrt(sum of squares + 1e-6) of each
    a     = exp(softplus(decay[r, h] + dt[h]) * rate[h])          log_rate: rate[h] is -exp(rate[h])
    S     = a S
    S     = S + k (v - k^T S) / (1 + exp(-beta[r, h]))            v = value[r, h]
    result[r, h] = q^T S
    ```

    The state of `layer` holds S.

    - C1: `result` has D columns for each value head, D being `head_size`, and `input` two times as many for each key
      head more.
    - C2: `value_heads` is a positive multiple of `key_heads`; D is positive.
    - C3: `decay` and `beta` have a column for each value head, `rate` and `dt` an element.
    - C4: all rows are of one number, and there is a position and a slot for each.
    - C5: `layer` is not negative.

    ```mlir
    %y = llm.delta_rule %x, %a, %b, %rate, %dt, %positions, %slots heads 16 of 32 head_size 128 layer 0
        : (tensor<?x8192xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<?xi32>,
           tensor<?xi32>) -> tensor<?x4096xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, Llm_FloatRows:$decay, Llm_FloatRows:$beta, Llm_Vector:$rate,
                       Llm_Vector:$dt, Llm_RowIndex:$positions, Llm_RowIndex:$slots, I64Attr:$key_heads,
                       I64Attr:$value_heads, I64Attr:$head_size, I64Attr:$layer, UnitAttr:$grouped, UnitAttr:$log_rate);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = [{
    $input `,` $decay `,` $beta `,` $rate `,` $dt `,` $positions `,` $slots `heads` $key_heads `of` $value_heads
    `head_size` $head_size `layer` $layer (`grouped` $grouped^)? (`log_rate` $log_rate^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C5
}

#endif
