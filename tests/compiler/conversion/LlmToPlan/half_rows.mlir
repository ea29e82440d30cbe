// RUN: llcuda-opt --llm-to-plan="max-context=64 max-batch=16 prompt-rows=64" %s | FileCheck %s

// Linears of f16 weights read f32 rows where there are few, and by tensor cores f16 rows, which one launch makes for all
// of them; an f32 weight reads the f32 rows beside.
// CHECK:      plan.phase rows 8 row_block 1
// CHECK-NOT:  half_rows
// CHECK:      plan.phase rows 16 row_block 1
// CHECK:      plan.launch @embedding
// CHECK-NEXT: plan.launch @half_rows__c64_t32__
// CHECK:      plan.launch @linear_prompt__f16__m16_n32_k64
// CHECK-NOT:  half_rows
// CHECK:      plan.launch @linear_prompt__f16__m16_n96_k64
// CHECK:      plan.launch @linear_prompt__f32__m16_n32_k64
// CHECK:      plan.phase rows 64 row_block 64
// CHECK:      plan.launch @half_rows
// CHECK-NOT:  half_rows
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}) -> tensor<?x96xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<32x64, f16, f16_rows>
  %k = llm.parameter "k" : !llm.weight<32x64, f16, f16_rows>
  %v = llm.parameter "v" : !llm.weight<32x64, f32, f32_rows>
  %o = llm.parameter "o" : !llm.weight<96x64, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<32x64, f16, f16_rows>) -> tensor<?x64xf32>
  %keys = llm.linear %x, %k {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.weight<32x64, f16, f16_rows>) -> tensor<?x32xf32>
  %y = llm.linear %x, %o {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.weight<96x64, f16, f16_rows>) -> tensor<?x96xf32>
  %values = llm.linear %x, %v {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.weight<32x64, f32, f32_rows>) -> tensor<?x32xf32>
  %c = llm.cache_write %keys, %values, %positions, %slots {llm.layer = 0 : i64} : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 1x32, f16, f16>
  return %y : tensor<?x96xf32>
}
