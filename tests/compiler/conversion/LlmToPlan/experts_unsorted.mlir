// RUN: llcuda-opt --llm-fuse-glu --llm-to-plan="max-context=64 max-batch=1 prompt-rows=64" %s | FileCheck %s

// Weights that tensor cores do not multiply are multiplied with each choice by itself, in prompts too, and so are all
// that the same router chose.
// CHECK:      plan.phase rows 64 row_block 64
// CHECK:      plan.launch @route
// CHECK-NOT:  sort_choices
// CHECK:      plan.launch @quantize__r64_c64
// CHECK-NEXT: plan.launch @expert_glu_linear__q8_0_q8_0__{{.*}} grid [1, 128, 1]
// CHECK-NEXT: plan.launch @expert_linear__f32__{{.*}} grid [2, 128, 1]
// CHECK-NEXT: plan.launch @expert_sum
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %r = llm.parameter "router" : !llm.weight<4x64, f32, f32_rows>
  %gate = llm.parameter "gate" : !llm.weight<128x64, q8_0, q8_0_planes>
  %up = llm.parameter "up" : !llm.weight<128x64, q8_0, q8_0_planes>
  %down = llm.parameter "down" : !llm.weight<256x32, f32, f32_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  %l = llm.linear %x, %r : (tensor<?x64xf32>, !llm.weight<4x64, f32, f32_rows>) -> tensor<?x4xf32>
  %e, %p = llm.route %l normalized : tensor<?x4xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %g = llm.expert_linear %x, %e, %gate of 4
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, q8_0, q8_0_planes>) -> tensor<?x32xf32>
  %u = llm.expert_linear %x, %e, %up of 4
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, q8_0, q8_0_planes>) -> tensor<?x32xf32>
  %a = llm.glu silu %g, %u : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  %d = llm.expert_linear each %a, %e, %down of 4
      : (tensor<?x32xf32>, tensor<?x2xi32>, !llm.weight<256x32, f32, f32_rows>) -> tensor<?x64xf32>
  %y = llm.expert_sum %d, %p : tensor<?x64xf32>, tensor<?x2xf32>
  return %y : tensor<?x64xf32>
}
