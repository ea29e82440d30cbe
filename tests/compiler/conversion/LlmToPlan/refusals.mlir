// RUN: llcuda-opt --llm-to-plan=max-context=64 --split-input-file --verify-diagnostics %s

// Nothing to lower.
// expected-error@+1 {{has no function @forward}}
module {
}

// -----

// An op that the passes left and no kernel does.
func.func @forward(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // expected-error@+1 {{has no kernel of its own and was not fused}}
  %0 = llm.add %x, %y : tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
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

// Logits are capped by no kernel.
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %rows: tensor<?xi32> {llm.io = "output_rows"}) -> tensor<?x96xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<96x64, f16, f16_rows>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<96x64, f16, f16_rows>) -> tensor<?x64xf32>
  // expected-error@+1 {{caps its logits, which no kernel does}}
  %l = llm.head %x, %w, %rows softcap 3.0e+01 : (tensor<?x64xf32>, !llm.weight<96x64, f16, f16_rows>, tensor<?xi32>) -> tensor<?x96xf32>
  return %l : tensor<?x96xf32>
}

// -----

// A product that is normed before it is added.
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x64, f16, f16_rows>
  %s = llm.parameter "s" : tensor<64xf32>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x64, f16, f16_rows>) -> tensor<?x64xf32>
  // expected-error@+1 {{norms the product before it is added, which no kernel does}}
  %a, %b = llm.linear_residual_norm %x, %w residual %x norm %s eps 1.0e-05 post_norm %s
      : (tensor<?x64xf32>, !llm.weight<64x64, f16, f16_rows>, tensor<?x64xf32>, tensor<64xf32>, tensor<64xf32>)
      -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return %a, %b : tensor<?x64xf32>, tensor<?x64xf32>
}
