// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%t: tensor<2xi32>, %w: !llm.weight<512x64, f16>) {
  // C1
  // expected-error@+1 {{result rows must be 2, not 3}}
  %0 = llm.embedding %t, %w : (tensor<2xi32>, !llm.weight<512x64, f16>) -> tensor<3x64xf32>
  return
}

// -----

func.func @c2(%t: tensor<?xi32>, %w: !llm.weight<512x64, f16>) {
  // C2
  // expected-error@+1 {{result columns must be 64, not 512}}
  %0 = llm.embedding %t, %w : (tensor<?xi32>, !llm.weight<512x64, f16>) -> tensor<?x512xf32>
  return
}
