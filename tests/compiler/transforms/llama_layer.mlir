// RUN: llcuda-opt --llm-fuse-qkv --llm-fuse-glu --llm-fuse-residual-norm --llm-quantize-activations --llm-fuse-rope-cache --llm-assign-layout %s | FileCheck %s
// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(canonicalize,cse,llm-fuse-qkv,llm-fuse-glu,llm-fuse-residual-norm,llm-quantize-activations,llm-fuse-rope-cache,llm-assign-layout),llm-to-plan{max-context=128 prompt-rows=32},plan.engine(plan-memory,plan-check))" %s | FileCheck %s --check-prefix=PLAN
// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(canonicalize,cse,llm-fuse-qkv,llm-fuse-glu,llm-fuse-residual-norm,llm-quantize-activations,llm-fuse-rope-cache,llm-assign-layout),llm-to-plan{max-context=128 prompt-rows=32 apart=qkv_rope_cache,linear_residual_norm},plan.engine(plan-memory,plan-check))" %s | FileCheck %s --check-prefix=APART

// A whole llama: an embedding, the first norm, five ops for the layer, the head, the sampler. The last linear of the layer
// takes in the final norm, and int8 rows pass from op to op without a launch of their own.
// CHECK-LABEL: func.func @forward
// CHECK:         %[[E:.*]] = llm.embedding
// CHECK:         %[[N0:.*]] = llm.rms_norm %[[E]], {{.*}} -> tensor<?x64x!llm.q8>
// CHECK-NOT:     llm.{{linear|rope|cache_write|quantize|add|glu }}
// CHECK:         %[[Q:.*]], %[[C:.*]] = llm.qkv_rope_cache %[[N0]],
// CHECK:         %[[A:.*]] = llm.attention %[[Q]], %[[C]], {{.*}} -> tensor<?x64x!llm.q8>
// CHECK:         %[[SUM1:.*]], %[[N1:.*]] = llm.linear_residual_norm %[[A]], %{{.*}} residual %[[E]] {{.*}} -> (tensor<?x64xf32>, tensor<?x64x!llm.q8>)
// CHECK:         %[[G:.*]] = llm.glu_linear silu %[[N1]], {{.*}} -> tensor<?x128x!llm.q8>
// CHECK:         %[[S:.*]] = llm.parameter "output_norm.weight"
// CHECK:         %[[SUM2:.*]], %[[N2:.*]] = llm.linear_residual_norm %[[G]], %{{.*}} residual %[[SUM1]] norm %[[S]]
// CHECK-NEXT:    %[[L:.*]] = llm.head %[[N2]],
// CHECK-NEXT:    llm.sample %[[L]],
// CHECK-NEXT:    return

// PLAN:      plan.phase rows 1 row_block 1
// PLAN:      plan.launch @qkv_rope_cache__q4_1_q4_1_q4_0__
// PLAN-NEXT: plan.launch @attention_decode__
// PLAN-NEXT: plan.launch @quantize__
// PLAN-NEXT: plan.launch @linear_residual_norm__
// PLAN-NEXT: plan.launch @glu_linear__
// PLAN-NEXT: plan.launch @linear_residual_norm__
// PLAN-NEXT: plan.launch @linear__q8_0__

// What is left out to be measured takes two launches.
// APART:      plan.phase rows 1 row_block 1
// APART:      plan.launch @qkv_linear__q4_1_q4_1_q4_0__
// APART-NEXT: plan.launch @rope_cache__h4_g2_d16_{{.*}}__n8__f32__
// APART-NEXT: plan.launch @attention_decode__
// APART-NEXT: plan.launch @quantize__
// APART-NEXT: plan.launch @linear__q4_1__{{.*}}_residual__
// APART-NEXT: plan.launch @rms_norm__{{.*}}q8__
// APART-NEXT: plan.launch @glu_linear__
// APART-NEXT: plan.launch @linear__q4_1__{{.*}}_residual__
// APART-NEXT: plan.launch @rms_norm__{{.*}}q8__
// APART-NEXT: plan.launch @linear__q8_0__
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"}, %slots: tensor<?xi32> {llm.io = "slots"},
                   %output_rows: tensor<?xi32> {llm.io = "output_rows"}, %sampling: tensor<?x!llm.sampling> {llm.io = "sampling"}) -> (tensor<?x512xf32>, tensor<?xi32>) {
  %embd = llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0>
  %t = llm.rope_table [1.0, 0.1, 0.01, 0.001] magnitude 1.0 : tensor<128x4x2xf32>
  %x = llm.embedding %tokens, %embd : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  %s0 = llm.parameter "blk.0.attn_norm.weight" : tensor<64xf32>
  %n0 = llm.rms_norm %x, %s0 eps 1.0e-5 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wq = llm.parameter "blk.0.attn_q.weight" : !llm.weight<64x64, q4_1>
  %q = llm.linear %n0, %wq {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %wk = llm.parameter "blk.0.attn_k.weight" : !llm.weight<32x64, q4_1>
  %k = llm.linear %n0, %wk {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %wv = llm.parameter "blk.0.attn_v.weight" : !llm.weight<32x64, q4_0>
  %v = llm.linear %n0, %wv {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<32x64, q4_0>) -> tensor<?x32xf32>
  %qr = llm.rope %q, %t, %positions head_size 16 pairs adjacent {llm.layer = 0} : tensor<?x64xf32>, tensor<128x4x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %positions head_size 16 pairs adjacent {llm.layer = 0} : tensor<?x32xf32>, tensor<128x4x2xf32>, tensor<?xi32>
  %c = llm.cache_write %kr, %v, %positions, %slots {llm.layer = 0} : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %positions, %slots heads 4 scale 0.25 {llm.layer = 0} : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %wo = llm.parameter "blk.0.attn_output.weight" : !llm.weight<64x64, q4_1>
  %o = llm.linear %a, %wo {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %h = llm.add %o, %x {llm.layer = 0} : tensor<?x64xf32>
  %s1 = llm.parameter "blk.0.ffn_norm.weight" : tensor<64xf32>
  %n1 = llm.rms_norm %h, %s1 eps 1.0e-5 {llm.layer = 0} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wg = llm.parameter "blk.0.ffn_gate.weight" : !llm.weight<128x64, q4_1>
  %g = llm.linear %n1, %wg {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %wu = llm.parameter "blk.0.ffn_up.weight" : !llm.weight<128x64, q4_1>
  %u = llm.linear %n1, %wu {llm.layer = 0} : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %gl = llm.glu silu %g, %u {llm.layer = 0} : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  %wd = llm.parameter "blk.0.ffn_down.weight" : !llm.weight<64x128, q4_1>
  %d = llm.linear %gl, %wd {llm.layer = 0} : (tensor<?x128xf32>, !llm.weight<64x128, q4_1>) -> tensor<?x64xf32>
  %y = llm.add %d, %h {llm.layer = 0} : tensor<?x64xf32>
  %s2 = llm.parameter "output_norm.weight" : tensor<64xf32>
  %n2 = llm.rms_norm %y, %s2 eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %logits = llm.head %n2, %embd, %output_rows : (tensor<?x64xf32>, !llm.weight<512x64, q8_0>, tensor<?xi32>) -> tensor<?x512xf32>
  %token = llm.sample %logits, %sampling : (tensor<?x512xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  return %logits, %token : tensor<?x512xf32>, tensor<?xi32>
}
