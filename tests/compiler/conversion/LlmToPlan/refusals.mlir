// RUN: llcuda-opt --llm-to-plan=max-context=64 --split-input-file --verify-diagnostics %s

// Nothing to lower.
// expected-error@+1 {{has no function @forward}}
module {
}

// -----

// A weight whose layout was not chosen.
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<96x64, f16>
  // expected-error@+1 {{reads token_embd.weight, which has no device layout}}
  %0 = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<96x64, f16>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// Keys that no cache of kernels keeps.
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  // expected-error@+1 {{which no kernel does}}
  %c = llm.cache_write %x, %x, %tokens, %tokens : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 1x64, f32, f32>
  return %x : tensor<?x64xf32>
}

// -----

// Heads that no kernel norms.
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %s = llm.parameter "s" : tensor<2xf32>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  // expected-error@+1 {{heads of 2 elements; kernels exist for multiples of 4 up to 512}}
  %n = llm.head_norm %x, %s eps 1.0e-6 : tensor<?x64xf32>, tensor<2xf32>
  return %n : tensor<?x64xf32>
}

// -----

// A table that ends before the context does.
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %t = llm.rope_table [1.0] magnitude 1.0 : tensor<32x1x2xf32>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  // expected-error@+1 {{has a rope table of 32 positions for a context of 64}}
  %r = llm.rope %x, %t, %positions head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<32x1x2xf32>, tensor<?xi32>
  return %r : tensor<?x64xf32>
}

// -----

// Experts whose rows are no whole tiles.
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x48xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %up = llm.parameter "up" : !llm.weight<192x64, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  %e, %p = llm.route %x normalized : tensor<?x64xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  // expected-error@+1 {{expert_linear of 48 outputs of each of 4 experts; kernels exist for multiples of 32}}
  %u = llm.expert_linear %x, %e, %up of 4
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<192x64, f16, f16_rows>) -> tensor<?x48xf32>
  return %u : tensor<?x48xf32>
}

// -----

// A sum that a launch of its own would have to make.
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x64xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  // expected-error@+1 {{adds what is no low_rank, which no kernel does}}
  %y = llm.linear %x, %w added %x : (tensor<?x64xf32>, !llm.weight<64x64, f16, f16_rows>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
