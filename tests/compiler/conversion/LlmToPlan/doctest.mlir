// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(llm-fuse-qkv,llm-fuse-glu,llm-fuse-residual-norm,llm-quantize-activations,llm-fuse-rope-cache,llm-assign-layout),llm-to-plan{max-context=96 max-batch=2 prompt-rows=32,128},plan.engine(plan-memory,plan-check))" %s | FileCheck %s
// RUN: llcuda-opt --pass-pipeline="builtin.module(func.func(llm-fuse-qkv,llm-fuse-glu,llm-fuse-residual-norm,llm-quantize-activations,llm-fuse-rope-cache,llm-assign-layout),llm-to-plan{max-context=96 max-batch=2 prompt-rows=8},plan.engine(plan-memory,plan-check))" %s | FileCheck %s --check-prefix=FEW

// A model of one layer. Decode phases of 1 and 2 rows; of the prompt sizes only the one that the context can fill.
// Weights and pools are shared by all phases, io buffers by those of a kind.
// CHECK:      plan.engine max_context 96 max_batch 2 page_tokens 64
// CHECK-DAG:  plan.buffer @token_embd.weight weight 12288 source #plan.tensor<name = "token_embd.weight", rows = 96, cols = 64, encoding = f16, layout = f16_rows>
// CHECK-DAG:  plan.buffer @rope_table constant 6144
// CHECK-DAG:  plan.buffer @k_pages_0 kv 4096 part keys type "f16"
// CHECK-DAG:  plan.buffer @decode_tokens io 8 role tokens
// CHECK-DAG:  plan.buffer @prompt_tokens io 128 role tokens
// CHECK-DAG:  plan.buffer @block_table io 16 role block_table
// CHECK-DAG:  plan.buffer @arrivals counter

// In decode phases each fused op is one launch; the last of the layer that adds to the residual stream is its tap. Heads of 16 share int8 groups of 32, so their rows are quantised apart.
// CHECK:      plan.phase rows 1 row_block 1 outputs 1 feeds_back {
// CHECK-NEXT: plan.launch @embedding__{{.*}} args(@token_embd.weight, @decode_tokens, @decode1.embedded)
// CHECK-NEXT: plan.launch @rms_norm__{{.*}}q8__{{.*}} layer 0
// CHECK-NEXT: plan.launch @qkv_rope_cache__q8_0_q8_0_q4_1__{{.*}} layer 0 args(@wq, @wk, @wv, {{.*}}@k_pages_0, @v_pages_0)
// CHECK-NEXT: plan.launch @attention_decode__{{.*}} layer 0
// CHECK-NEXT: plan.launch @quantize__{{.*}} layer 0
// CHECK-NEXT: plan.launch @linear_residual_norm__q8_0__{{.*}} layer 0 args(@wo, {{.*}}@decode1.embedded, @ffn_norm{{.*}}>{{$}}
// CHECK-NEXT: plan.launch @glu_linear__q4_0_q8_0__{{.*}} layer 0
// CHECK-NEXT: plan.launch @linear_residual_norm__q8_0__{{.*}} layer 0 {{.*}} tap @decode1.l0.sum_1{{$}}
// CHECK-NEXT: plan.launch @linear__f16__{{.*}} args(@token_embd.weight, {{.*}}, @decode_logits)
// CHECK-NEXT: plan.launch @sample__{{.*}}@decode_tokens
// CHECK-NEXT: plan.launch @log_probabilities__{{.*}} tail report args(@decode_logits, @decode_sampled
// CHECK-NEXT: }
// CHECK:      plan.phase rows 2 row_block 1 outputs 2 feeds_back {

// In the prompt phase gate and up of two layouts run apart, and the last norm picks the rows whose logits are wanted.
// CHECK:      plan.phase rows 32 row_block 32 outputs 1 scores 32 {
// CHECK:      plan.launch @qkv_prompt__
// CHECK-NEXT: plan.launch @rope_cache__
// CHECK-NEXT: plan.launch @attention_prompt__
// CHECK:      plan.launch @linear_prompt__
// CHECK-NEXT: plan.launch @rms_norm__
// CHECK-COUNT-2: plan.launch @linear_prompt__
// CHECK-NEXT: plan.launch @glu__
// CHECK-NEXT: plan.launch @linear_prompt__{{.*}} tap @prompt32.l0.sum_1{{$}}
// From there on it is the tail that samples.
// CHECK-NEXT: plan.launch @rms_norm__{{.*}}_pick_{{.*}} grid [1, 1, 1] {{.*}}tail sample args({{.*}}@prompt_output_rows
// CHECK-NEXT: plan.launch @linear__f16__{{.*}} tail sample
// CHECK-NEXT: plan.launch @sample__{{.*}} tail sample {{.*}}@prompt_output_rows
// CHECK-NEXT: plan.launch @log_probabilities__{{.*}} tail report args(@prompt_logits, @prompt_sampled
// The tails behind it begin where the trunk ends, too: with the norm of the rows that they want. A tile of rows that are
// not scored is left out of the head.
// CHECK-NEXT: plan.launch @rms_norm__{{.*}}_pick_{{.*}} grid [32, 1, 1] {{.*}}tail score args(@prompt32.l0.sum_1, {{.*}}@prompt_score_rows
// CHECK-NEXT: plan.launch @half_rows__{{.*}} tail score
// CHECK-NEXT: plan.launch @linear_prompt__f16__{{.*}} tail score args({{.*}}@prompt_score_rows, @prompt32.logits)
// CHECK-NEXT: plan.launch @log_probabilities__{{.*}} tail score args(@prompt32.logits, @prompt_score_tokens
// CHECK-NEXT: plan.launch @rms_norm__{{.*}} grid [32, 1, 1] {{.*}}tail pool args(@prompt32.l0.sum_1
// CHECK-NEXT: plan.launch @sum_rows__{{.*}} tail pool args({{.*}}@prompt_pool_rows, @prompt_pooled)
// CHECK-NOT:  plan.phase

// A prompt phase of few rows is made like a decode phase of several; its last norm picks the rows that are wanted.
// FEW:      plan.phase rows 8 row_block 1 outputs 2 scores 8 {
// FEW:      plan.launch @qkv_rope_cache__q8_0_q8_0_q4_1__m8_
// FEW-NEXT: plan.launch @attention_decode__
// FEW:      plan.launch @linear__{{.*}} tap @prompt8.l0.sum_1{{$}}
// FEW-NEXT: plan.launch @rms_norm__{{.*}}_pick_{{.*}} tail sample args({{.*}}@prompt_output_rows
// FEW-NEXT: plan.launch @linear__f16__{{.*}} tail sample
// FEW-NEXT: plan.launch @sample__{{.*}} tail sample {{.*}}@prompt_output_rows
// FEW-NEXT: plan.launch @log_probabilities__{{.*}} tail report
// FEW-NEXT: plan.launch @rms_norm__{{.*}}_pick_{{.*}} tail score args({{.*}}@prompt_score_rows
// FEW-NEXT: plan.launch @linear__f16__{{.*}} tail score
// FEW-NEXT: plan.launch @log_probabilities__{{.*}} tail score
// FEW-NEXT: plan.launch @rms_norm__{{.*}} tail pool
// FEW-NEXT: plan.launch @sum_rows__{{.*}} tail pool

// Between steps rows and the block table change by one launch.
// CHECK:      plan.edits {
// CHECK-NEXT: plan.launch @apply_edits__g1__{{.*}} grid [1, 1, 1] args(@edits, @decode_tokens, @decode_positions, @decode_slots, @decode_sampling, @prompt_sampled, @block_table)
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}, %output_rows: tensor<?xi32> {llm.io = "output_rows"},
                   %sampling: tensor<?x!llm.sampling> {llm.io = "sampling"}) -> (tensor<?x96xf32>, tensor<?xi32>) {
  %embd = llm.parameter "token_embd.weight" : !llm.weight<96x64, f16>
  %table = llm.rope_table [1.0, 0.5, 0.25, 0.125, 0.1, 0.05, 0.02, 0.01] magnitude 1.0 : tensor<96x8x2xf32>
  %x = llm.embedding %tokens, %embd : (tensor<?xi32>, !llm.weight<96x64, f16>) -> tensor<?x64xf32>
  %s0 = llm.parameter "attn_norm" {llm.layer = 0 : i64} : tensor<64xf32>
  %n = llm.rms_norm %x, %s0 eps 1.0e-05 {llm.layer = 0 : i64} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wq = llm.parameter "wq" : !llm.weight<64x64, q8_0>
  %wk = llm.parameter "wk" : !llm.weight<32x64, q8_0>
  %wv = llm.parameter "wv" : !llm.weight<32x64, q4_1>
  %q0 = llm.linear %n, %wq {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.weight<64x64, q8_0>) -> tensor<?x64xf32>
  %k0 = llm.linear %n, %wk {llm.layer = 0 : i64}: (tensor<?x64xf32>, !llm.weight<32x64, q8_0>) -> tensor<?x32xf32>
  %v = llm.linear %n, %wv {llm.layer = 0 : i64}: (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %q = llm.rope %q0, %table, %positions head_size 16 pairs adjacent {llm.layer = 0 : i64}: tensor<?x64xf32>, tensor<96x8x2xf32>, tensor<?xi32>
  %k = llm.rope %k0, %table, %positions head_size 16 pairs adjacent {llm.layer = 0 : i64}: tensor<?x32xf32>, tensor<96x8x2xf32>, tensor<?xi32>
  %c = llm.cache_write %k, %v, %positions, %slots {llm.layer = 0 : i64} : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %q, %c, %positions, %slots heads 4 scale 2.5e-01 {llm.layer = 0 : i64} : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %wo = llm.parameter "wo" : !llm.weight<64x64, q8_0>
  %o = llm.linear %a, %wo {llm.layer = 0 : i64}: (tensor<?x64xf32>, !llm.weight<64x64, q8_0>) -> tensor<?x64xf32>
  %x1 = llm.add %x, %o {llm.layer = 0 : i64}: tensor<?x64xf32>
  %s1 = llm.parameter "ffn_norm" : tensor<64xf32>
  %n1 = llm.rms_norm %x1, %s1 eps 1.0e-05 {llm.layer = 0 : i64}: (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %wg = llm.parameter "wg" : !llm.weight<96x64, q4_0>
  %wu = llm.parameter "wu" : !llm.weight<96x64, q8_0>
  %g = llm.linear %n1, %wg {llm.layer = 0 : i64}: (tensor<?x64xf32>, !llm.weight<96x64, q4_0>) -> tensor<?x96xf32>
  %u = llm.linear %n1, %wu {llm.layer = 0 : i64}: (tensor<?x64xf32>, !llm.weight<96x64, q8_0>) -> tensor<?x96xf32>
  %y = llm.glu silu %g, %u {llm.layer = 0 : i64}: (tensor<?x96xf32>, tensor<?x96xf32>) -> tensor<?x96xf32>
  %wd = llm.parameter "wd" : !llm.weight<64x96, q8_0>
  %d = llm.linear %y, %wd {llm.layer = 0 : i64}: (tensor<?x96xf32>, !llm.weight<64x96, q8_0>) -> tensor<?x64xf32>
  %x2 = llm.add %x1, %d {llm.layer = 0 : i64}: tensor<?x64xf32>
  %s2 = llm.parameter "output_norm" : tensor<64xf32>
  %n2 = llm.rms_norm %x2, %s2 eps 1.0e-05 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %l = llm.head %n2, %embd, %output_rows : (tensor<?x64xf32>, !llm.weight<96x64, f16>, tensor<?xi32>) -> tensor<?x96xf32>
  %t = llm.sample %l, %sampling : (tensor<?x96xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  return %l, %t : tensor<?x96xf32>, tensor<?xi32>
}
