// RUN: llcuda-opt --llm-to-plan="max-context=64 max-batch=1 prompt-rows=64" %s | FileCheck %s

// Columns that a launch reads where they lie are no launch: it is handed their first byte and how far apart they are. Of
// many rows the linear and what it gates are two launches.
// CHECK:      plan.phase rows 1 row_block 1
// CHECK-NEXT: plan.launch @embedding__
// CHECK-NEXT: plan.launch @linear_glu__f16__m1_n32_k96__{{.*}}_silu__of96_g96__f32__{{[0-9a-f]+}} {{.*}}@decode1.embedded + 128, @decode1.gated)
// CHECK-NEXT: plan.launch @glu__r1_c32_t128__sigmoid__f32__of96_g48__{{[0-9a-f]+}} {{.*}}args(@decode1.embedded + 64, @decode1.gated, @decode_logits)
// CHECK:      plan.phase rows 64 row_block 64
// CHECK-NOT:  plan.launch @take_columns
// CHECK:      plan.launch @linear_prompt__
// CHECK:      plan.launch @glu__r64_c32_t128__silu__f32__of96_g96__
// CHECK-NEXT: plan.launch @glu__r64_c32_t128__sigmoid__f32__of96_g48__
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}) -> tensor<?x32xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x96, f16, f16_rows>
  %gate = llm.parameter "gate" : !llm.weight<32x96, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x96, f16, f16_rows>) -> tensor<?x96xf32>
  %u = llm.take_columns %x 32 of 96 from 32 : tensor<?x96xf32> -> tensor<?x32xf32>
  %y = llm.linear_glu silu %x, %gate up %u
      : (tensor<?x96xf32>, !llm.weight<32x96, f16, f16_rows>, tensor<?x32xf32>) -> tensor<?x32xf32>
  %g = llm.take_columns %x 16 of 48 from 16 : tensor<?x96xf32> -> tensor<?x32xf32>
  %z = llm.glu sigmoid %g, %y : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return %z : tensor<?x32xf32>
}
