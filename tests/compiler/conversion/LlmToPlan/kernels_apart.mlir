// RUN: llcuda-opt --llm-to-plan="max-context=1024 prompt-rows=32" %s | FileCheck %s

// Attentions of one shape whose scale or softcap differ are kernels of their own, and layers that agree share one.
// CHECK:      plan.kernel @attention_decode__[[SHAPE:.*]]__e3e800000__[[QUARTER:[0-9a-f]+]] {{.*}}{0.25f, 0.f, 0
// CHECK:      plan.kernel @attention_decode__[[SHAPE]]__e3f000000__[[HALF:[0-9a-f]+]] {{.*}}{0.5f, 0.f, 0
// CHECK:      plan.kernel @attention_decode__[[SHAPE]]__e3e800000__cap42480000__[[CAPPED:[0-9a-f]+]] {{.*}}{0.25f, 50.f, 0
// CHECK-NOT:  plan.kernel @attention_decode
// CHECK:      plan.phase rows 1 row_block 1
// CHECK:      plan.launch @attention_decode__[[SHAPE]]__e3e800000__[[QUARTER]] {{.*}} layer 0
// CHECK:      plan.launch @attention_decode__[[SHAPE]]__e3f000000__[[HALF]] {{.*}} layer 1
// CHECK:      plan.launch @attention_decode__[[SHAPE]]__e3e800000__cap42480000__[[CAPPED]] {{.*}} layer 2
// CHECK:      plan.launch @attention_decode__[[SHAPE]]__e3e800000__[[QUARTER]] {{.*}} layer 3
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}) -> tensor<?x32xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<32x32, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<32x32, f16, f16_rows>) -> tensor<?x32xf32>
  %c0 = llm.cache_write %x, %x, %positions, %slots {llm.layer = 0 : i64} : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 1x32, f16, f16>
  %a0 = llm.attention %x, %c0, %positions, %slots heads 1 scale 2.5e-01 {llm.layer = 0 : i64}
      : (tensor<?x32xf32>, !llm.cache<layer 0, 1x32, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
  %c1 = llm.cache_write %a0, %a0, %positions, %slots {llm.layer = 1 : i64} : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 1, 1x32, f16, f16>
  %a1 = llm.attention %a0, %c1, %positions, %slots heads 1 scale 5.0e-01 {llm.layer = 1 : i64}
      : (tensor<?x32xf32>, !llm.cache<layer 1, 1x32, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
  %c2 = llm.cache_write %a1, %a1, %positions, %slots {llm.layer = 2 : i64} : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 2, 1x32, f16, f16>
  %a2 = llm.attention %a1, %c2, %positions, %slots heads 1 scale 2.5e-01 softcap 5.0e+01 {llm.layer = 2 : i64}
      : (tensor<?x32xf32>, !llm.cache<layer 2, 1x32, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
  %c3 = llm.cache_write %a2, %a2, %positions, %slots {llm.layer = 3 : i64} : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 3, 1x32, f16, f16>
  %a3 = llm.attention %a2, %c3, %positions, %slots heads 1 scale 2.5e-01 {llm.layer = 3 : i64}
      : (tensor<?x32xf32>, !llm.cache<layer 3, 1x32, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
  return %a3 : tensor<?x32xf32>
}
