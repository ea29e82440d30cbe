// RUN: llcuda-opt --canonicalize --llm-fuse-qkv --llm-fuse-glu --llm-fuse-residual-norm --llm-quantize-activations --llm-fuse-rope-cache --llm-assign-layout %s | FileCheck %s
// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(canonicalize,cse,llm-fuse-qkv,llm-fuse-glu,llm-fuse-residual-norm,llm-quantize-activations,llm-fuse-rope-cache,llm-assign-layout),llm-to-plan{max-context=128 prompt-rows=32},plan.engine(plan-memory,plan-check))" %s | FileCheck %s --check-prefix=PLAN

// Query, key and value are rows of one tensor, and so are gate and up: each linear has its own, and all is fused as ever.
// Twelve columns of a head turn, in halves, as in Phi 4 mini.
// CHECK-LABEL: func.func @forward
// CHECK:         llm.parameter "blk.0.attn_qkv.weight" : !llm.weight<64x64, q4_1, q4_1_planes>
// CHECK:         llm.parameter "blk.0.attn_qkv.weight" first_row 64 : !llm.weight<32x64, q4_1, q4_1_planes>
// CHECK:         llm.parameter "blk.0.attn_qkv.weight" first_row 96 : !llm.weight<32x64, q4_1, q4_1_planes>
// CHECK:         llm.qkv_rope_cache {{.*}} pairs halves
// CHECK:         llm.linear_residual_norm
// CHECK:         llm.glu_linear silu
// CHECK:         llm.linear_residual_norm

// The rows of one tensor are buffers of their own.
// PLAN-DAG:  plan.buffer @blk.0.attn_qkv.weight weight {{[0-9]+}} source #plan.tensor<name = "blk.0.attn_qkv.weight", rows = 64,
// PLAN-DAG:  plan.buffer @blk.0.attn_qkv.weight_1 weight {{[0-9]+}} source #plan.tensor<name = "blk.0.attn_qkv.weight", rows = 32, {{.*}} first_row = 64
// PLAN-DAG:  plan.buffer @blk.0.ffn_up.weight_1 weight {{[0-9]+}} source #plan.tensor<name = "blk.0.ffn_up.weight", rows = 128, {{.*}} first_row = 128
// PLAN:      plan.phase rows 1 row_block 1
// PLAN:      plan.launch @qkv_linear__q4_1_q4_1_q4_1__{{.*}} args(@blk.0.attn_qkv.weight, @blk.0.attn_qkv.weight_1, @blk.0.attn_qkv.weight_2,
// PLAN-NEXT: plan.launch @rope_cache__h4_g2_d16_{{.*}}__n12_halves__f32__
// PLAN:      plan.phase rows 32 row_block 32
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}, %output_rows: tensor<?xi32> {llm.io = "output_rows"},
                   %sampling: tensor<?x!llm.sampling> {llm.io = "sampling"}) -> (tensor<?x512xf32>, tensor<?xi32>) {
  %embd = llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0>
  %head = llm.parameter "output.weight" : !llm.weight<512x64, q8_0>
  %t = llm.rope_table [1.0, 0.5, 0.1, 0.05, 0.01, 0.001] magnitude 1.19 : tensor<128x6x2xf32>
  %x = llm.embedding %tokens, %embd : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  %s0 = llm.parameter "blk.0.attn_norm.weight" : tensor<64xf32>
  %n0 = llm.rms_norm %x, %s0 eps 1.0e-6 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wq = llm.parameter "blk.0.attn_qkv.weight" : !llm.weight<64x64, q4_1>
  %q = llm.linear %n0, %wq {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %wk = llm.parameter "blk.0.attn_qkv.weight" first_row 64 : !llm.weight<32x64, q4_1>
  %k = llm.linear %n0, %wk {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %wv = llm.parameter "blk.0.attn_qkv.weight" first_row 96 : !llm.weight<32x64, q4_1>
  %v = llm.linear %n0, %wv {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %qr = llm.rope %q, %t, %positions head_size 16 pairs halves {llm.layer = 0} : tensor<?x64xf32>, tensor<128x6x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %positions head_size 16 pairs halves {llm.layer = 0} : tensor<?x32xf32>, tensor<128x6x2xf32>, tensor<?xi32>
  %c0 = llm.cache_write %kr, %v, %positions, %slots {llm.layer = 0}
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a0 = llm.attention %qr, %c0, %positions, %slots heads 4 scale 0.25 {llm.layer = 0}
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %wo = llm.parameter "blk.0.attn_output.weight" : !llm.weight<64x64, q4_1>
  %o = llm.linear %a0, %wo {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %h = llm.add %x, %o {llm.layer = 0} : tensor<?x64xf32>
  %s1 = llm.parameter "blk.0.ffn_norm.weight" : tensor<64xf32>
  %n1 = llm.rms_norm %h, %s1 eps 1.0e-6 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wg = llm.parameter "blk.0.ffn_up.weight" : !llm.weight<128x64, q4_1>
  %g = llm.linear %n1, %wg {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %wu = llm.parameter "blk.0.ffn_up.weight" first_row 128 : !llm.weight<128x64, q4_1>
  %u = llm.linear %n1, %wu {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %gl = llm.glu silu %g, %u {llm.layer = 0} : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  %wd = llm.parameter "blk.0.ffn_down.weight" : !llm.weight<64x128, q4_1>
  %d = llm.linear %gl, %wd {llm.layer = 0} : (tensor<?x128xf32>, !llm.weight<64x128, q4_1>) -> tensor<?x64xf32>
  %y = llm.add %h, %d {llm.layer = 0} : tensor<?x64xf32>
  %s2 = llm.parameter "output_norm.weight" : tensor<64xf32>
  %n2 = llm.rms_norm %y, %s2 eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %logits = llm.head %n2, %head, %output_rows : (tensor<?x64xf32>, !llm.weight<512x64, q8_0>, tensor<?xi32>) -> tensor<?x512xf32>
  %token = llm.sample %logits, %sampling : (tensor<?x512xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  return %logits, %token : tensor<?x512xf32>, tensor<?xi32>
}
