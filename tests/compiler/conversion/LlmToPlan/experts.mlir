// RUN: llcuda-opt --llm-to-plan="max-context=64 max-batch=16 prompt-rows=64" %s | FileCheck %s

// Every phase has the kernels of the experts that a single row takes, so that a row's bits are the same. Int8 rows by
// themselves are made once for the experts' linears of one value, also where linears of many rows would want another
// order.
// CHECK:      plan.phase rows 1 row_block 1
// CHECK:      plan.launch @[[ROUTE:route__e4_c2_norm__[0-9a-f]+]]
// CHECK-NEXT: plan.launch @quantize__r1_c64
// CHECK-NEXT: plan.launch @[[GATE:expert_linear__q8_0__e4_c2_n32_k64__[^ ]+]]
// CHECK-NEXT: plan.launch @[[GATE]]
// CHECK-NEXT: plan.launch @glu__r2_c32
// CHECK-NEXT: plan.launch @[[DOWN:expert_linear__f16__e4_c2_n64_k32_each__[^ ]+]]
// CHECK-NEXT: plan.launch @[[SUM:expert_sum__[^ ]+]]
// CHECK:      plan.phase rows 16 row_block 1
// CHECK:      plan.launch @[[ROUTE]]
// CHECK-NEXT: plan.launch @quantize__r16_c64
// CHECK-NEXT: plan.launch @[[GATE]]
// CHECK-NEXT: plan.launch @[[GATE]]
// CHECK-NEXT: plan.launch @glu__r32_c32
// CHECK-NEXT: plan.launch @[[DOWN]]
// CHECK-NEXT: plan.launch @[[SUM]]
// CHECK:      plan.phase rows 64 row_block 64
// CHECK:      plan.launch @[[ROUTE]]
// CHECK-NEXT: plan.launch @quantize__r64_c64
// CHECK-NEXT: plan.launch @[[GATE]]
// CHECK-NEXT: plan.launch @[[GATE]]
// CHECK-NEXT: plan.launch @glu__r128_c32
// CHECK-NEXT: plan.launch @[[DOWN]]
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
