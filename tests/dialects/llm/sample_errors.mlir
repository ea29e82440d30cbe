// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_sampling(%l: tensor<2x512xf32>, %s: tensor<3x!llm.sampling>) {
  // C1
  // expected-error@+1 {{sampling: rows must be 2, not 3}}
  %0 = llm.sample %l, %s : (tensor<2x512xf32>, tensor<3x!llm.sampling>) -> tensor<2xi32>
  return
}

// -----

func.func @c1_result(%l: tensor<2x512xf32>, %s: tensor<2x!llm.sampling>) {
  // C1
  // expected-error@+1 {{result: rows must be 2, not 3}}
  %0 = llm.sample %l, %s : (tensor<2x512xf32>, tensor<2x!llm.sampling>) -> tensor<3xi32>
  return
}
