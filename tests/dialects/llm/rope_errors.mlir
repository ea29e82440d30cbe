// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x64xf32>, %t: tensor<8x4x2xf32>, %p: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{input columns must be a multiple of the head size 48, not 64}}
  %0 = llm.rope %x, %t, %p head_size 48 pairs adjacent : tensor<?x64xf32>, tensor<8x4x2xf32>, tensor<?xi32>
  return
}

// -----

func.func @c2_table(%x: tensor<?x64xf32>, %t: tensor<8x4x3xf32>, %p: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{table must be PxNx2, not 'tensor<8x4x3xf32>'}}
  %0 = llm.rope %x, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<8x4x3xf32>, tensor<?xi32>
  return
}

// -----

func.func @c2_pairs(%x: tensor<?x64xf32>, %t: tensor<8x9x2xf32>, %p: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{table turns 18 columns of a head of 16}}
  %0 = llm.rope %x, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<8x9x2xf32>, tensor<?xi32>
  return
}

// -----

func.func @c3(%x: tensor<4x64xf32>, %t: tensor<8x8x2xf32>, %p: tensor<3xi32>) {
  // C3
  // expected-error@+1 {{positions: rows must be 4, not 3}}
  %0 = llm.rope %x, %t, %p head_size 16 pairs adjacent : tensor<4x64xf32>, tensor<8x8x2xf32>, tensor<3xi32>
  return
}

// -----

func.func @c4(%x: tensor<?x64xf32>, %t: tensor<8x4x2xf32>, %p: tensor<?xi32>, %s: tensor<32xf32>) {
  // C4
  // expected-error@+1 {{scale elements must be 16, not 32}}
  %0 = llm.rope %x, %t, %p head_size 16 pairs adjacent norm %s eps 1.0e-6
      : tensor<?x64xf32>, tensor<8x4x2xf32>, tensor<?xi32>, tensor<32xf32>
  return
}
