// RUN: llcuda-opt --llm-to-plan="max-context=64 max-batch=16 prompt-rows=64" %s | FileCheck %s

// A norm whose rows tensor cores multiply with f16 weights emits f16 rows alone; with an f32 weight among its readers
// also f32 rows. Few rows are read as f32 rows, whatever the weight.
// CHECK:      plan.phase rows 8 row_block 1
// CHECK:      plan.launch @rms_norm__c64_t32__f32__
// CHECK-NOT:  halves
// CHECK:      plan.phase rows 16 row_block 1
// CHECK-NOT:  half_rows__
// CHECK:      plan.launch @rms_norm__c64_t32__f16__{{.*}} args({{.*}}, @decode16.l0.normed_halves, @decode16.l0.normed_half_scales)
// CHECK-NOT:  half_rows__
// CHECK:      plan.launch @linear_prompt__f16__m16_n64_k64__{{.*}} args({{.*}}, @decode16.l0.normed_halves, @decode16.l0.normed_half_scales,
// CHECK-NOT:  half_rows__
// CHECK:      plan.launch @rms_norm__c64_t32__f32_f16__
// CHECK-NOT:  half_rows__
// CHECK:      plan.launch @linear_prompt__f16__m16_n96_k64
// CHECK:      plan.launch @linear_prompt__f32__m16_n32_k64
// CHECK:      plan.phase rows 64 row_block 64
// CHECK:      plan.launch @rms_norm__c64_t32__f16__
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}) -> tensor<?x96xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<32x64, f16, f16_rows>
  %s = llm.parameter "norm" : tensor<64xf32>
  %k = llm.parameter "k" : !llm.weight<32x64, f16, f16_rows>
  %v = llm.parameter "v" : !llm.weight<32x64, f32, f32_rows>
  %o = llm.parameter "o" : !llm.weight<96x64, f16, f16_rows>
  %u = llm.parameter "u" : !llm.weight<64x64, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<32x64, f16, f16_rows>) -> tensor<?x64xf32>
  %n = llm.rms_norm %x, %s eps 1.0e-05 {llm.layer = 0 : i64} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %y = llm.linear %n, %u {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  %m = llm.rms_norm %y, %s eps 1.0e-05 {llm.layer = 0 : i64} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %keys = llm.linear %m, %k {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.weight<32x64, f16, f16_rows>) -> tensor<?x32xf32>
  %z = llm.linear %m, %o {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.weight<96x64, f16, f16_rows>) -> tensor<?x96xf32>
  %values = llm.linear %m, %v {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.weight<32x64, f32, f32_rows>) -> tensor<?x32xf32>
  %c = llm.cache_write %keys, %values, %positions, %slots {llm.layer = 0 : i64} : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 1x32, f16, f16>
  return %z : tensor<?x96xf32>
}
