// RUN: llcuda-opt --llm-to-plan="max-context=1024 max-batch=32 batch-invariant" %s | FileCheck %s
// RUN: not llcuda-opt --llm-to-plan="max-context=1024 batch-invariant prompt-rows=32,128" %s 2>&1 | FileCheck %s --check-prefix=FEW

// Two families of decode phases: up to 8 rows, which share the bits of a row, and one phase for all wider batches. No
// prompt phase whose warps divide the inputs, and the same kernel of a linear in all of them: nothing of its tile or its
// constants says how many rows the phase has.
// CHECK:      plan.phase rows 1 row_block 1 outputs 1 feeds_back
// CHECK:      plan.launch @attention_decode__[[SHAPE:.*__s[0-9]+]]__
// CHECK:      plan.phase rows 2 row_block 1 outputs 2 feeds_back
// CHECK:      plan.launch @attention_decode__[[SHAPE]]__
// CHECK:      plan.phase rows 4 row_block 1 outputs 4 feeds_back
// CHECK:      plan.launch @attention_decode__[[SHAPE]]__
// CHECK:      plan.phase rows 8 row_block 1 outputs 8 feeds_back
// CHECK:      plan.launch @attention_decode__[[SHAPE]]__
// CHECK-NOT:  plan.phase rows 16
// CHECK:      plan.phase rows 32 row_block 1 outputs 32 feeds_back
// CHECK-NOT:  plan.phase rows 32 row_block 32
// CHECK:      plan.phase rows 64 row_block 64
// CHECK:      plan.launch @linear_prompt__q4_1__m64_[[TILE:n8192_k4096__[a-z0-9_]+]]__
// CHECK:      plan.phase rows 128 row_block 64
// CHECK:      plan.launch @linear_prompt__q4_1__m128_[[TILE]]__
// CHECK:      plan.phase rows 512 row_block 64
// CHECK:      plan.launch @linear_prompt__q4_1__m512_[[TILE]]__
// FEW: prompt phases of up to 32 rows beside larger ones are not batch-invariant
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}) -> tensor<?x8192xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<32x4096, f16, f16_rows>
  %up = llm.parameter "up" : !llm.weight<8192x4096, q4_1, q4_1_planes>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<32x4096, f16, f16_rows>) -> tensor<?x4096xf32>
  %c = llm.cache_write %x, %x, %positions, %slots {llm.layer = 0 : i64} : (tensor<?x4096xf32>, tensor<?x4096xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 32x128, f16, f16>
  %a = llm.attention %x, %c, %positions, %slots heads 32 scale 1.25e-01 {llm.layer = 0 : i64}
      : (tensor<?x4096xf32>, !llm.cache<layer 0, 32x128, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x4096xf32>
  %y = llm.linear %a, %up {llm.layer = 0 : i64} : (tensor<?x4096xf32>, !llm.weight<8192x4096, q4_1, q4_1_planes>) -> tensor<?x8192xf32>
  return %y : tensor<?x8192xf32>
}
