// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_input(%x: tensor<?x64xf32>, %w: tensor<192xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{input columns must be 192, not 64}}
  %0 = llm.short_conv gated %x, %w, %p, %s layer 0
      : (tensor<?x64xf32>, tensor<192xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c1_static(%x: tensor<?x64xf32>, %w: tensor<192xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{result needs a static number of columns}}
  %0 = llm.short_conv %x, %w, %p, %s layer 0
      : (tensor<?x64xf32>, tensor<192xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @c2_uneven(%x: tensor<?x64xf32>, %w: tensor<190xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{taps must have 2 to 8 elements for each of 64 columns, not 190}}
  %0 = llm.short_conv %x, %w, %p, %s layer 0
      : (tensor<?x64xf32>, tensor<190xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c2_one(%x: tensor<?x64xf32>, %w: tensor<64xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{taps must have 2 to 8 elements}}
  %0 = llm.short_conv %x, %w, %p, %s layer 0
      : (tensor<?x64xf32>, tensor<64xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c3_positions(%x: tensor<4x64xf32>, %w: tensor<192xf32>, %p: tensor<3xi32>, %s: tensor<4xi32>) {
  // C3
  // expected-error@+1 {{positions: rows must be 4, not 3}}
  %0 = llm.short_conv %x, %w, %p, %s layer 0
      : (tensor<4x64xf32>, tensor<192xf32>, tensor<3xi32>, tensor<4xi32>) -> tensor<4x64xf32>
  return
}

// -----

func.func @c4_layer(%x: tensor<?x64xf32>, %w: tensor<192xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C4
  // expected-error@+1 {{layer must not be negative}}
  %0 = llm.short_conv %x, %w, %p, %s layer -1
      : (tensor<?x64xf32>, tensor<192xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c5_both(%x: tensor<?x192xf32>, %w: tensor<192xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C5
  // expected-error@+1 {{is gated and has a silu}}
  %0 = llm.short_conv gated silu %x, %w, %p, %s layer 0
      : (tensor<?x192xf32>, tensor<192xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}
