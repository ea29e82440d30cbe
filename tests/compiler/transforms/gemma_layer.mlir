// RUN: llcuda-opt --canonicalize --llm-fuse-qkv --llm-fuse-glu --llm-fuse-residual-norm --llm-quantize-activations --llm-fuse-rope-cache --llm-assign-layout %s | FileCheck %s
// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(canonicalize,cse,llm-fuse-qkv,llm-fuse-glu,llm-fuse-residual-norm,llm-quantize-activations,llm-fuse-rope-cache,llm-assign-layout),llm-to-plan{max-context=128 prompt-rows=32},plan.engine(plan-memory,plan-check))" %s | FileCheck %s --check-prefix=PLAN
// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(llm-assign-layout),llm-to-plan{max-context=128 prompt-rows=32},plan.engine(plan-memory,plan-check))" %s | FileCheck %s --check-prefix=UNFUSED

// A layer with everything that Gemma adds: a scaled embedding, norms of query and key heads, a window, capped scores,
// norms after attention and feed-forward, capped logits. Still five ops for the layer.
// CHECK-LABEL: func.func @forward
// CHECK:         %[[E:.*]] = llm.embedding {{.*}} scale 8.000000e+00
// CHECK-NOT:     llm.scale
// CHECK:         %[[N0:.*]] = llm.rms_norm %[[E]], {{.*}} -> tensor<?x64x!llm.q8>
// CHECK:         %[[Q:.*]], %[[C:.*]] = llm.qkv_rope_cache %[[N0]], {{.*}} norm %{{.*}}, %{{.*}} eps
// CHECK:         %[[A:.*]] = llm.attention %[[Q]], %[[C]], {{.*}} window 3 softcap 5.000000e+01 {{.*}} -> tensor<?x64x!llm.q8>
// CHECK:         %[[SUM1:.*]], %[[N1:.*]] = llm.linear_residual_norm %[[A]], %{{.*}} residual %[[E]] norm %{{.*}} post_norm
// CHECK:         %[[G:.*]] = llm.glu_linear gelu_tanh %[[N1]],
// CHECK:         %[[SUM2:.*]], %[[N2:.*]] = llm.linear_residual_norm %[[G]], %{{.*}} residual %[[SUM1]] norm %{{.*}} post_norm
// CHECK-NEXT:    %[[L:.*]] = llm.head %[[N2]], {{.*}} softcap 3.000000e+01
// CHECK-NEXT:    llm.sample %[[L]],

// Six launches for the layer in a decode phase (of heads of 16 the int8 rows are a launch of their own).
// PLAN:      plan.phase rows 1 row_block 1
// PLAN-NEXT: plan.launch @embedding__
// PLAN-NEXT: plan.launch @rms_norm__
// PLAN-NEXT: plan.launch @qkv_linear__q8_0_q4_1_q4_0__
// PLAN-NEXT: plan.launch @rope_cache__h4_g2_d16_{{.*}}__n8_norm__f32__
// PLAN-NEXT: plan.launch @attention_decode__{{.*}}_w3
// PLAN-NEXT: plan.launch @quantize__
// PLAN-NEXT: plan.launch @linear_residual_norm__q4_1__{{.*}}__post__q8__
// PLAN-NEXT: plan.launch @glu_linear__{{.*}}_gelu_tanh
// PLAN-NEXT: plan.launch @linear_residual_norm__q8_0__{{.*}}__post__q8__{{.*}} tap @decode1.l0.sum_1{{$}}
// PLAN-NEXT: plan.launch @linear__q8_0__{{.*}}__cap__c41f00000__{{.*}}@decode_logits
// PLAN-NEXT: plan.launch @sample__
// In the prompt phase post-norm, add and norm are one launch, and the last of them picks the rows of the
// head: that layer has no tap.
// PLAN:      plan.phase rows 32 row_block 32
// PLAN:      plan.launch @rope_cache__h4_g2_d16_{{.*}}__n8_norm__f16__
// PLAN:      plan.launch @linear_prompt__q4_1__{{m[0-9]+_n[0-9]+}}_k64__
// PLAN-NEXT: plan.launch @post_norm__c64_{{.*}}_q8_frag__{{.*}}>{{$}}
// PLAN:      plan.launch @linear_prompt__q8_0__{{m[0-9]+_n[0-9]+}}_k128__
// PLAN-NEXT: plan.launch @post_norm__c64_{{.*}}_pick_{{.*}} grid [1, 1, 1]{{.*}}>{{$}}

// Without any fusion each op has a launch.
// UNFUSED:       plan.phase rows 1 row_block 1
// UNFUSED-NEXT:  plan.launch @embedding__
// UNFUSED-NEXT:  plan.launch @scale__
// UNFUSED-NEXT:  plan.launch @rms_norm__
// UNFUSED-COUNT-2: plan.launch @head_rows__{{.*}}norm__{{.*}}
// UNFUSED-NEXT:  plan.launch @head_rows__h4_d16__n8__
// UNFUSED-NEXT:  plan.launch @head_rows__h2_d16__n8__
// UNFUSED-NEXT:  plan.launch @rope_cache__h0_g2_d16_{{.*}}__n0__f16__
// UNFUSED-NEXT:  plan.launch @attention_decode__
// UNFUSED:       plan.launch @add__{{.*}}>{{$}}
// UNFUSED:       plan.launch @glu__
// UNFUSED:       plan.launch @add__{{.*}} tap @decode1.l0.sum_1{{$}}
// UNFUSED:       plan.launch @softcap__{{.*}}@decode_logits
// UNFUSED-NEXT:  plan.launch @sample__
// UNFUSED:       plan.phase rows 32 row_block 32
// UNFUSED:       plan.launch @head_rows__h4_d16__n8__
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}, %output_rows: tensor<?xi32> {llm.io = "output_rows"},
                   %sampling: tensor<?x!llm.sampling> {llm.io = "sampling"}) -> (tensor<?x512xf32>, tensor<?xi32>) {
  %embd = llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0>
  %t = llm.rope_table [1.0, 0.1, 0.01, 0.001] magnitude 1.0 : tensor<128x4x2xf32>
  %e = llm.embedding %tokens, %embd : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  %x = llm.scale %e by 8.0 : tensor<?x64xf32>
  %s0 = llm.parameter "blk.0.attn_norm.weight" plus 1.0 : tensor<64xf32>
  %n0 = llm.rms_norm %x, %s0 eps 1.0e-6 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wq = llm.parameter "blk.0.attn_q.weight" pair_rows 16 : !llm.weight<64x64, q8_0>
  %q = llm.linear %n0, %wq {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<64x64, q8_0>) -> tensor<?x64xf32>
  %wk = llm.parameter "blk.0.attn_k.weight" pair_rows 16 : !llm.weight<32x64, q4_1>
  %k = llm.linear %n0, %wk {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %wv = llm.parameter "blk.0.attn_v.weight" : !llm.weight<32x64, q4_0>
  %v = llm.linear %n0, %wv {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<32x64, q4_0>) -> tensor<?x32xf32>
  %sq = llm.parameter "blk.0.attn_q_norm.weight" pair_rows 16 : tensor<16xf32>
  %qn = llm.head_norm %q, %sq eps 1.0e-6 {llm.layer = 0} : tensor<?x64xf32>, tensor<16xf32>
  %sk = llm.parameter "blk.0.attn_k_norm.weight" pair_rows 16 : tensor<16xf32>
  %kn = llm.head_norm %k, %sk eps 1.0e-6 {llm.layer = 0} : tensor<?x32xf32>, tensor<16xf32>
  %qr = llm.rope %qn, %t, %positions head_size 16 pairs adjacent {llm.layer = 0} : tensor<?x64xf32>, tensor<128x4x2xf32>, tensor<?xi32>
  %kr = llm.rope %kn, %t, %positions head_size 16 pairs adjacent {llm.layer = 0} : tensor<?x32xf32>, tensor<128x4x2xf32>, tensor<?xi32>
  %c = llm.cache_write %kr, %v, %positions, %slots {llm.layer = 0}
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %positions, %slots heads 4 scale 0.25 window 3 softcap 50.0 {llm.layer = 0}
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %wo = llm.parameter "blk.0.attn_output.weight" : !llm.weight<64x64, q4_1>
  %o = llm.linear %a, %wo {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %sp = llm.parameter "blk.0.post_attention_norm.weight" : tensor<64xf32>
  %op = llm.rms_norm %o, %sp eps 1.0e-6 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %h = llm.add %op, %x {llm.layer = 0} : tensor<?x64xf32>
  %s1 = llm.parameter "blk.0.ffn_norm.weight" : tensor<64xf32>
  %n1 = llm.rms_norm %h, %s1 eps 1.0e-6 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wg = llm.parameter "blk.0.ffn_gate.weight" : !llm.weight<128x64, q4_1>
  %g = llm.linear %n1, %wg {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %wu = llm.parameter "blk.0.ffn_up.weight" : !llm.weight<128x64, q4_1>
  %u = llm.linear %n1, %wu {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %gl = llm.glu gelu_tanh %g, %u {llm.layer = 0} : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  %wd = llm.parameter "blk.0.ffn_down.weight" : !llm.weight<64x128, q8_0>
  %d = llm.linear %gl, %wd {llm.layer = 0} : (tensor<?x128xf32>, !llm.weight<64x128, q8_0>) -> tensor<?x64xf32>
  %sd = llm.parameter "blk.0.post_ffw_norm.weight" : tensor<64xf32>
  %dp = llm.rms_norm %d, %sd eps 1.0e-6 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %y = llm.add %dp, %h {llm.layer = 0} : tensor<?x64xf32>
  %s2 = llm.parameter "output_norm.weight" : tensor<64xf32>
  %n2 = llm.rms_norm %y, %s2 eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %raw = llm.head %n2, %embd, %output_rows : (tensor<?x64xf32>, !llm.weight<512x64, q8_0>, tensor<?xi32>) -> tensor<?x512xf32>
  %logits = llm.softcap %raw cap 30.0 : tensor<?x512xf32>
  %token = llm.sample %logits, %sampling : (tensor<?x512xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  return %logits, %token : tensor<?x512xf32>, tensor<?xi32>
}
