// RUN: llcuda-opt --llm-fuse-glu --llm-to-plan="max-context=64 max-batch=16 prompt-rows=64" %s | FileCheck %s

// Phases of few rows take the kernels of a single row, so that a row's bits are the same, and int8 rows by themselves.
// The gated unit emits the rows that the linear after it reads.
// CHECK:      plan.phase rows 1 row_block 1
// CHECK:      plan.launch @[[ROUTE:route__e4_c2_norm__[0-9a-f]+]]
// CHECK-NEXT: plan.launch @quantize__r1_c64
// CHECK-NEXT: plan.launch @[[GLU:expert_glu_linear__q8_0_q8_0__e4_c2_n32_k64__[^ ]+]]
// CHECK-NEXT: plan.launch @[[DOWN:expert_linear__f16__e4_c2_n64_k32_each__[^ ]+]]
// CHECK-NEXT: plan.launch @[[SUM:expert_sum__[^ ]+]]
// CHECK:      plan.phase rows 8 row_block 1
// CHECK:      plan.launch @[[ROUTE]]
// CHECK-NEXT: plan.launch @quantize__r8_c64
// CHECK-NEXT: plan.launch @[[GLU]]
// CHECK-NEXT: plan.launch @[[DOWN]]
// CHECK-NEXT: plan.launch @[[SUM]]

// Those of many rows sort the choices once, and bring the rows into their order; f16 rows are made of the gated unit's,
// which are sorted already.
// CHECK:      plan.phase rows 16 row_block 1
// CHECK:      plan.launch @[[ROUTE]]
// CHECK-NEXT: plan.launch @sort_choices__r16_e4_c2_t16_n5_w1__{{.*}} args(@{{[^ ]*}}experts{{[^ ]*}}, @{{[^ ]*}}positions{{[^ ]*}}, @[[SORTED:[^ ]*]], @[[TILES:[^ ]*]])
// CHECK-NEXT: plan.launch @sorted_rows__r80_c64_{{.*}}of2
// CHECK-NEXT: plan.launch @expert_glu_prompt__q8_0__e4_c2_n32_k64__r16_{{.*}} grid [5, 1, 1]{{.*}}@[[TILES]]
// CHECK-NEXT: plan.launch @half_rows__c32
// CHECK-NEXT: plan.launch @expert_linear_prompt__f16__e4_c2_n64_k32__r16_{{.*}} grid [5, 1, 1]{{.*}}@[[TILES]], @[[SORTED]]
// CHECK-NEXT: plan.launch @[[SUM]]
// CHECK:      plan.phase rows 64 row_block 64
// CHECK:      plan.launch @[[ROUTE]]
// CHECK-NEXT: plan.launch @sort_choices__r64_e4_c2_t32_n7_w4
// CHECK-NEXT: plan.launch @sorted_rows__r224_c64
// CHECK-NEXT: plan.launch @expert_glu_prompt
// CHECK-NEXT: plan.launch @half_rows__c32
// CHECK-NEXT: plan.launch @expert_linear_prompt
// CHECK-NEXT: plan.launch @[[SUM]]
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %r = llm.parameter "router" : !llm.weight<4x64, f32, f32_rows>
  %gate = llm.parameter "gate" : !llm.weight<128x64, q8_0, q8_0_planes>
  %up = llm.parameter "up" : !llm.weight<128x64, q8_0, q8_0_planes>
  %down = llm.parameter "down" : !llm.weight<256x32, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  %l = llm.linear %x, %r : (tensor<?x64xf32>, !llm.weight<4x64, f32, f32_rows>) -> tensor<?x4xf32>
  %e, %p = llm.route %l normalized : tensor<?x4xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %g = llm.expert_linear %x, %e, %gate of 4
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, q8_0, q8_0_planes>) -> tensor<?x32xf32>
  %u = llm.expert_linear %x, %e, %up of 4
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, q8_0, q8_0_planes>) -> tensor<?x32xf32>
  %a = llm.glu silu %g, %u : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  %d = llm.expert_linear each %a, %e, %down of 4
      : (tensor<?x32xf32>, tensor<?x2xi32>, !llm.weight<256x32, f16, f16_rows>) -> tensor<?x64xf32>
  %y = llm.expert_sum %d, %p : tensor<?x64xf32>, tensor<?x2xf32>
  return %y : tensor<?x64xf32>
}
