// RUN: llcuda-opt --llm-to-plan="max-context=1024 prompt-rows=32" %s | FileCheck %s

// A layer that sees a window has a block table of its group. Pages have the bytes of the types of keys and values.
// CHECK:      plan.engine max_context 1024 max_batch 1 page_tokens 64
// CHECK-DAG:  plan.buffer @k_pages_0 kv 2176 part keys type "q8_0" window 100
// CHECK-DAG:  plan.buffer @v_pages_0 kv 1152 part values type "q4_0" window 100
// CHECK-DAG:  plan.buffer @block_table_w100 io 64 window 100 role block_table
// CHECK-DAG:  plan.buffer @block_table io 64 role block_table
// CHECK-DAG:  plan.buffer @k_pages_1 kv 2176 part keys type "q8_0"{{$}}
// CHECK-DAG:  plan.buffer @v_pages_1 kv 1152 part values type "q4_0"{{$}}
// CHECK:      plan.phase rows 1 row_block 1
// CHECK:      plan.launch @qkv_rope_cache__f16_f16_f16__m1_n64_kv32_k64__{{[a-z0-9_]+}}__d32_turn32_p16_q8_0_q4_0__{{.*}} layer 0 args({{.*}}@decode_slots, @block_table_w100, @decode1.l0.q, @k_pages_0, @v_pages_0)
// CHECK-NEXT: plan.launch @attention_decode__h2_g1_d32_p16_q8_0_q4_0__{{.*}}__w100__{{.*}} layer 0 args(@decode1.l0.q, @k_pages_0, @v_pages_0, @decode_positions, @decode_slots, @block_table_w100, @decode1.l0.partial
// CHECK-NEXT: plan.launch @qkv_rope_cache__f16_f16_f16__m1_n64_kv32_k64__{{[a-z0-9_]+}}__d32_turn32_p16_q8_0_q4_0__{{.*}} layer 1 args({{.*}}@block_table
// CHECK-NEXT: plan.launch @attention_decode__h2_g1_d32_p16_q8_0_q4_0__{{.*}} layer 1 args({{.*}}@block_table
// CHECK:      plan.phase rows 32 row_block 32
// CHECK:      plan.launch @rope_cache__h2_g1_d32_p16_q8_0_q4_0__n32__f16__{{.*}} layer 0
// CHECK-NEXT: plan.launch @attention_prompt__h2_g1_d32_p16_q8_0_q4_0__r32__f32__e3e000000__w100__{{.*}} layer 0
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %k = llm.parameter "k" : !llm.weight<32x64, f16, f16_rows>
  %t = llm.rope_table [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.125, 0.1, 0.05, 0.02, 0.01] magnitude 1.0 : tensor<1024x16x2xf32>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  %q0, %c0 = llm.qkv_rope_cache %x, %w, %k, %k table %t at %positions, %slots pairs adjacent {llm.layer = 0 : i64}
      : (tensor<?x64xf32>, !llm.weight<64x64, f16, f16_rows>, !llm.weight<32x64, f16, f16_rows>, !llm.weight<32x64, f16, f16_rows>,
         tensor<1024x16x2xf32>, tensor<?xi32>, tensor<?xi32>)
      -> (tensor<?x64xf32>, !llm.cache<layer 0, 1x32, q8_0, q4_0>)
  %a0 = llm.attention %q0, %c0, %positions, %slots heads 2 scale 1.25e-01 window 100 {llm.layer = 0 : i64}
      : (tensor<?x64xf32>, !llm.cache<layer 0, 1x32, q8_0, q4_0>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %q1, %c1 = llm.qkv_rope_cache %a0, %w, %k, %k table %t at %positions, %slots pairs adjacent {llm.layer = 1 : i64}
      : (tensor<?x64xf32>, !llm.weight<64x64, f16, f16_rows>, !llm.weight<32x64, f16, f16_rows>, !llm.weight<32x64, f16, f16_rows>,
         tensor<1024x16x2xf32>, tensor<?xi32>, tensor<?xi32>)
      -> (tensor<?x64xf32>, !llm.cache<layer 1, 1x32, q8_0, q4_0>)
  %a1 = llm.attention %q1, %c1, %positions, %slots heads 2 scale 1.25e-01 {llm.layer = 1 : i64}
      : (tensor<?x64xf32>, !llm.cache<layer 1, 1x32, q8_0, q4_0>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a1 : tensor<?x64xf32>
}
