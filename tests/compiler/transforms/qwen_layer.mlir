// RUN: llcuda-opt --llm-fuse-qkv --llm-fuse-glu --llm-fuse-residual-norm --llm-quantize-activations --llm-fuse-rope-cache --llm-assign-layout %s | FileCheck %s
// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(canonicalize,cse,llm-fuse-qkv,llm-fuse-glu,llm-fuse-residual-norm,llm-quantize-activations,llm-fuse-rope-cache,llm-assign-layout),llm-to-plan{max-context=128 prompt-rows=32},plan.engine(plan-memory,plan-check))" %s | FileCheck %s --check-prefix=PLAN

// Biases of query, key and value, weights of which some take int8 rows and some f32 rows, a partial rotation of halves, no
// norm at the end. A value that both kinds read is quantised by an op of its own, and the fused ops read both.
// CHECK-LABEL: func.func @forward
// CHECK:         %[[N0:.*]] = llm.rms_norm {{.*}} -> tensor<?x64xf32>
// CHECK:         %[[I0:.*]] = llm.quantize %[[N0]]
// CHECK:         %[[Q:.*]], %[[C:.*]] = llm.qkv_rope_cache %[[N0]], {{.*}} pairs halves bias {{.*}} int8 %[[I0]] :
// CHECK:         %[[A:.*]] = llm.attention %[[Q]], %[[C]], {{.*}} -> tensor<?x64xf32>
// CHECK:         %{{.*}}, %[[N1:.*]] = llm.linear_residual_norm %[[A]], {{.*}} -> (tensor<?x64xf32>, tensor<?x64xf32>)
// CHECK:         %[[I1:.*]] = llm.quantize %[[N1]]
// CHECK:         %[[G:.*]] = llm.glu_linear silu %[[N1]], {{.*}} int8 %[[I1]] : {{.*}} -> tensor<?x128x!llm.q8>
// CHECK:         %[[Y:.*]] = llm.linear %[[G]], %{{.*}} bias %{{.*}} residual
// CHECK-NEXT:    llm.head %[[Y]],

// Halves turn in a launch after the linears. No norm picks the rows of the head, so a launch does.
// PLAN:      plan.phase rows 1 row_block 1
// PLAN:      plan.launch @qkv_linear__f16_f16_q8_0__{{.*}}_bias__
// PLAN-NEXT: plan.launch @rope_cache__h4_g2_d16_{{.*}}__n6_halves__f32__
// PLAN-NEXT: plan.launch @attention_decode__
// PLAN:      plan.launch @linear__q4_1__{{.*}}_bias_residual__
// PLAN-NEXT: plan.launch @linear__f16__
// PLAN:      plan.phase rows 32 row_block 32
// PLAN:      plan.launch @qkv_prompt__f16_f16_q8_0__{{m[0-9]+_n[0-9]+_kv[0-9]+}}_k64__{{.*}}bias
// PLAN-NEXT: plan.launch @rope_cache__h4_g2_d16_{{.*}}__n6_halves__f16__
// PLAN:      plan.launch @linear_prompt__q4_1_{{.*}}bias
// PLAN-NEXT: plan.launch @pick_rows__
// PLAN-NEXT: plan.launch @linear__f16__
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}, %output_rows: tensor<?xi32> {llm.io = "output_rows"},
                   %sampling: tensor<?x!llm.sampling> {llm.io = "sampling"}) -> (tensor<?x512xf32>, tensor<?xi32>) {
  %embd = llm.parameter "token_embd.weight" : !llm.weight<512x64, f16>
  %t = llm.rope_table [1.0, 0.1, 0.01] magnitude 1.2 : tensor<128x3x2xf32>
  %x = llm.embedding %tokens, %embd : (tensor<?xi32>, !llm.weight<512x64, f16>) -> tensor<?x64xf32>
  %s0 = llm.parameter "blk.0.attn_norm.weight" : tensor<64xf32>
  %n0 = llm.rms_norm %x, %s0 eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wq = llm.parameter "blk.0.attn_q.weight" : !llm.weight<64x64, f16>
  %bq = llm.parameter "blk.0.attn_q.bias" : tensor<64xf32>
  %q = llm.linear %n0, %wq bias %bq : (tensor<?x64xf32>, !llm.weight<64x64, f16>, tensor<64xf32>) -> tensor<?x64xf32>
  %wk = llm.parameter "blk.0.attn_kv.weight" : !llm.weight<32x64, f16>
  %bk = llm.parameter "blk.0.attn_k.bias" : tensor<32xf32>
  %k = llm.linear %n0, %wk bias %bk : (tensor<?x64xf32>, !llm.weight<32x64, f16>, tensor<32xf32>) -> tensor<?x32xf32>
  %wv = llm.parameter "blk.0.attn_v.weight" : !llm.weight<32x64, q8_0>
  %bv = llm.parameter "blk.0.attn_v.bias" : tensor<32xf32>
  %v = llm.linear %n0, %wv bias %bv : (tensor<?x64xf32>, !llm.weight<32x64, q8_0>, tensor<32xf32>) -> tensor<?x32xf32>
  %qr = llm.rope %q, %t, %positions head_size 16 pairs halves : tensor<?x64xf32>, tensor<128x3x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %positions head_size 16 pairs halves : tensor<?x32xf32>, tensor<128x3x2xf32>, tensor<?xi32>
  %c = llm.cache_write %kr, %v, %positions, %slots
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %positions, %slots heads 4 scale 0.25
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %wo = llm.parameter "blk.0.attn_output.weight" : !llm.weight<64x64, f16>
  %o = llm.linear %a, %wo : (tensor<?x64xf32>, !llm.weight<64x64, f16>) -> tensor<?x64xf32>
  %h = llm.add %x, %o : tensor<?x64xf32>
  %s1 = llm.parameter "blk.0.ffn_norm.weight" : tensor<64xf32>
  %n1 = llm.rms_norm %h, %s1 eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wg = llm.parameter "blk.0.ffn_gate.weight" : !llm.weight<128x64, q4_0>
  %g = llm.linear %n1, %wg : (tensor<?x64xf32>, !llm.weight<128x64, q4_0>) -> tensor<?x128xf32>
  %wu = llm.parameter "blk.0.ffn_up.weight" : !llm.weight<128x64, f32>
  %u = llm.linear %n1, %wu : (tensor<?x64xf32>, !llm.weight<128x64, f32>) -> tensor<?x128xf32>
  %gl = llm.glu silu %g, %u : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  %wd = llm.parameter "blk.0.ffn_down.weight" : !llm.weight<64x128, q4_1>
  %bd = llm.parameter "blk.0.ffn_down.bias" : tensor<64xf32>
  %d = llm.linear %gl, %wd bias %bd : (tensor<?x128xf32>, !llm.weight<64x128, q4_1>, tensor<64xf32>) -> tensor<?x64xf32>
  %y = llm.add %h, %d : tensor<?x64xf32>
  %logits = llm.head %y, %embd, %output_rows : (tensor<?x64xf32>, !llm.weight<512x64, f16>, tensor<?xi32>) -> tensor<?x512xf32>
  %token = llm.sample %logits, %sampling : (tensor<?x512xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  return %logits, %token : tensor<?x512xf32>, tensor<?xi32>
}
