// RUN: llcuda-opt --llm-to-plan="max-context=1024 prompt-rows=32" %s | FileCheck %s

// The sinks of a layer are a constant that attention reads, in decode and in prompts.
// CHECK-DAG:  plan.buffer @blk.0.attn_sinks.weight constant 8
// CHECK:      plan.launch @attention_decode__{{.*}} args({{.*}}@block_table, @blk.0.attn_sinks.weight, @decode1.l0.partial
// CHECK:      plan.launch @attention_prompt__{{.*}} args({{.*}}@block_table, @blk.0.attn_sinks.weight, @
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %s = llm.parameter "blk.0.attn_sinks.weight" : tensor<2xf32>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  %c = llm.cache_write %x, %x, %positions, %slots {llm.layer = 0 : i64}
      : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x32, f16, f16>
  %a = llm.attention %x, %c, %positions, %slots heads 2 scale 2.5e-01 sinks %s {llm.layer = 0 : i64}
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x32, f16, f16>, tensor<?xi32>, tensor<?xi32>, tensor<2xf32>)
      -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}
