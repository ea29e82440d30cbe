// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_keys(%k: tensor<?x64xf32>, %v: tensor<?x32xf32>, %p: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{keys columns must be 32, not 64}}
  %0 = llm.cache_write %k, %v, %p, %p
      : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  return
}

// -----

func.func @c1_values(%k: tensor<?x32xf32>, %v: tensor<?x64xf32>, %p: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{values columns must be 32, not 64}}
  %0 = llm.cache_write %k, %v, %p, %p
      : (tensor<?x32xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  return
}

// -----

func.func @c2_values(%k: tensor<2x32xf32>, %v: tensor<3x32xf32>, %p: tensor<2xi32>) {
  // C2
  // expected-error@+1 {{values: rows must be 2, not 3}}
  %0 = llm.cache_write %k, %v, %p, %p
      : (tensor<2x32xf32>, tensor<3x32xf32>, tensor<2xi32>, tensor<2xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  return
}

// -----

func.func @c2_slots(%k: tensor<2x32xf32>, %p: tensor<2xi32>, %s: tensor<3xi32>) {
  // C2
  // expected-error@+1 {{slots: rows must be 2, not 3}}
  %0 = llm.cache_write %k, %k, %p, %s
      : (tensor<2x32xf32>, tensor<2x32xf32>, tensor<2xi32>, tensor<3xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  return
}
