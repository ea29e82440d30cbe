// RUN: llcuda-opt --canonicalize --llm-fuse-qkv --llm-fuse-glu --llm-fuse-residual-norm --llm-quantize-activations --llm-fuse-rope-cache --llm-assign-layout %s | FileCheck %s
// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(canonicalize,cse,llm-fuse-qkv,llm-fuse-glu,llm-fuse-residual-norm,llm-quantize-activations,llm-fuse-rope-cache,llm-assign-layout),llm-to-plan{max-context=128 prompt-rows=32},plan.engine(plan-memory,plan-check))" %s | FileCheck %s --check-prefix=PLAN

// The second layer does not turn its heads: its linears are one launch, and the cache write another.
// CHECK-LABEL: func.func @forward
// CHECK:         llm.qkv_rope_cache {{.*}} pairs adjacent
// CHECK:         llm.qkv_linear
// CHECK:         llm.cache_write

// PLAN:      plan.phase rows 1 row_block 1
// PLAN:      plan.launch @qkv_rope_cache__{{.*}}_turn16_p2_
// PLAN:      plan.launch @qkv_linear__q4_1_q4_1_q8_0__
// PLAN-NEXT: plan.launch @rope_cache__h0_g2_d16_{{.*}}__n0__f16__
// PLAN-NEXT: plan.launch @attention_decode__
// PLAN:      plan.launch @linear__f16__
// PLAN-NEXT: plan.launch @scale__{{.*}}@decode_logits
// PLAN:      plan.phase rows 32 row_block 32
// PLAN:      plan.launch @rope_cache__h4_g2_d16_{{.*}}__n16__f16__
// PLAN:      plan.launch @rope_cache__h0_g2_d16_{{.*}}__n0__f16__
// PLAN-NEXT: plan.launch @head_rows__h4_d16__n0__
// PLAN-NEXT: plan.launch @attention_prompt__
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}, %output_rows: tensor<?xi32> {llm.io = "output_rows"},
                   %sampling: tensor<?x!llm.sampling> {llm.io = "sampling"}) -> (tensor<?x512xf32>, tensor<?xi32>) {
  %embd = llm.parameter "token_embd.weight" : !llm.weight<512x64, f16>
  %t = llm.rope_table [1.0, 0.5, 0.1, 0.05, 0.01, 0.005, 0.002, 0.001] magnitude 1.0 : tensor<128x8x2xf32>
  %x0 = llm.embedding %tokens, %embd : (tensor<?xi32>, !llm.weight<512x64, f16>) -> tensor<?x64xf32>
  %s0 = llm.parameter "blk.0.attn_norm.weight" : tensor<64xf32>
  %n0 = llm.rms_norm %x0, %s0 eps 1.0e-6 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wq0 = llm.parameter "blk.0.attn_q.weight" : !llm.weight<64x64, q4_1>
  %q0 = llm.linear %n0, %wq0 {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %wk0 = llm.parameter "blk.0.attn_k.weight" : !llm.weight<32x64, q4_1>
  %k0 = llm.linear %n0, %wk0 {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %wv0 = llm.parameter "blk.0.attn_v.weight" : !llm.weight<32x64, q8_0>
  %v0 = llm.linear %n0, %wv0 {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<32x64, q8_0>) -> tensor<?x32xf32>
  %qr = llm.rope %q0, %t, %positions head_size 16 pairs adjacent {llm.layer = 0} : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k0, %t, %positions head_size 16 pairs adjacent {llm.layer = 0} : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %c0 = llm.cache_write %kr, %v0, %positions, %slots {llm.layer = 0}
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a0 = llm.attention %qr, %c0, %positions, %slots heads 4 scale 0.25 {llm.layer = 0}
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %wo0 = llm.parameter "blk.0.attn_output.weight" : !llm.weight<64x64, q4_1>
  %o0 = llm.linear %a0, %wo0 {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %x1 = llm.add %x0, %o0 {llm.layer = 0} : tensor<?x64xf32>
  %s1 = llm.parameter "blk.1.attn_norm.weight" : tensor<64xf32>
  %n1 = llm.rms_norm %x1, %s1 eps 1.0e-6 {llm.layer = 1} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wq1 = llm.parameter "blk.1.attn_q.weight" : !llm.weight<64x64, q4_1>
  %q1 = llm.linear %n1, %wq1 {llm.layer = 1} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %wk1 = llm.parameter "blk.1.attn_k.weight" : !llm.weight<32x64, q4_1>
  %k1 = llm.linear %n1, %wk1 {llm.layer = 1} : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %wv1 = llm.parameter "blk.1.attn_v.weight" : !llm.weight<32x64, q8_0>
  %v1 = llm.linear %n1, %wv1 {llm.layer = 1} : (tensor<?x64xf32>, !llm.weight<32x64, q8_0>) -> tensor<?x32xf32>
  %c1 = llm.cache_write %k1, %v1, %positions, %slots {llm.layer = 1}
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 1, 2x16, f16, f16>
  %a1 = llm.attention %q1, %c1, %positions, %slots heads 4 scale 0.25 {llm.layer = 1}
      : (tensor<?x64xf32>, !llm.cache<layer 1, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %wo1 = llm.parameter "blk.1.attn_output.weight" : !llm.weight<64x64, q4_1>
  %o1 = llm.linear %a1, %wo1 {llm.layer = 1} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %x2 = llm.add %x1, %o1 {llm.layer = 1} : tensor<?x64xf32>
  %s2 = llm.parameter "output_norm.weight" : tensor<64xf32>
  %n2 = llm.rms_norm %x2, %s2 eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %raw = llm.head %n2, %embd, %output_rows : (tensor<?x64xf32>, !llm.weight<512x64, f16>, tensor<?xi32>) -> tensor<?x512xf32>
  %logits = llm.scale %raw by 0.125 : tensor<?x512xf32>
  %token = llm.sample %logits, %sampling : (tensor<?x512xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  return %logits, %token : tensor<?x512xf32>, tensor<?xi32>
}
