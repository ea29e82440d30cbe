// RUN: llcuda-opt --llm-to-plan="max-context=64 prompt-rows=64" %s | FileCheck %s

// Linears make the inner products of few rows themselves, from the f32 rows beside the int8 rows. Of many rows one
// launch does, for all that read the same rows by the same weight. All linears add the outer products.
// CHECK:      plan.phase rows 1 row_block 1
// CHECK:      plan.launch @rms_norm__c64_t32__f32_q8__
// CHECK-NEXT: plan.launch @linear__q4_0__m1_n64_k64__{{.*}}low32
// CHECK-NEXT: plan.launch @linear__q4_0__m1_n64_k64__{{.*}}residual{{.*}}low32
// CHECK:      plan.phase rows 64 row_block 64
// CHECK:      plan.launch @rms_norm__c64_t32__f32_q8_frag__
// CHECK-NEXT: plan.launch @low_rank_prompt__m64_n32_k64__
// CHECK-NEXT: plan.launch @linear_prompt__q4_0__m64_n64_k64__{{.*}}low32
// CHECK-NEXT: plan.launch @linear_prompt__q4_0__m64_n64_k64__{{.*}}low32
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x64xf32> {
  %w = llm.parameter "w" : !llm.weight<64x64, q4_0, q4_0_planes>
  %a = llm.parameter "a" : !llm.weight<32x64, f16, f16_rows>
  %b = llm.parameter "b" : !llm.weight<64x32, f16, f16_rows>
  %s = llm.parameter "s" : tensor<64xf32>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, q4_0, q4_0_planes>) -> tensor<?x64xf32>
  %n = llm.rms_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64x!llm.q8>
  %p = llm.low_rank %n, %a, %b : (tensor<?x64x!llm.q8>, !llm.weight<32x64, f16, f16_rows>, !llm.weight<64x32, f16, f16_rows>) -> tensor<?x64xf32>
  %y = llm.linear %n, %w added %p : (tensor<?x64x!llm.q8>, !llm.weight<64x64, q4_0, q4_0_planes>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %p2 = llm.low_rank %n, %a, %b : (tensor<?x64x!llm.q8>, !llm.weight<32x64, f16, f16_rows>, !llm.weight<64x32, f16, f16_rows>) -> tensor<?x64xf32>
  %z = llm.linear %n, %w residual %y added %p2 : (tensor<?x64x!llm.q8>, !llm.weight<64x64, q4_0, q4_0_planes>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}
