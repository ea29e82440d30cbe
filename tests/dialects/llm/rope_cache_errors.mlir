// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%q: tensor<?x40xf32>, %k: tensor<?x32xf32>, %t: tensor<8x4x2xf32>, %p: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{q columns must be a multiple of the head size 16, not 40}}
  %0:2 = llm.rope_cache %q, %k, %k table %t at %p, %p pairs adjacent
      : (tensor<?x40xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<8x4x2xf32>, tensor<?xi32>, tensor<?xi32>)
      -> (tensor<?x40xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c2(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x16xf32>, %t: tensor<8x4x2xf32>, %p: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{v columns must be 32, not 16}}
  %0:2 = llm.rope_cache %q, %k, %v table %t at %p, %p pairs adjacent
      : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x16xf32>, tensor<8x4x2xf32>, tensor<?xi32>, tensor<?xi32>)
      -> (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c3_alone(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %t: tensor<8x4x2xf32>, %p: tensor<?xi32>, %s: tensor<16xf32>) {
  // C3
  // expected-error@+1 {{needs q_scale and k_scale beside v_scale}}
  %0:2 = llm.rope_cache %q, %k, %k table %t at %p, %p pairs adjacent v_norm %s
      : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<8x4x2xf32>, tensor<?xi32>, tensor<?xi32>, tensor<16xf32>)
      -> (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c3_size(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %t: tensor<8x4x2xf32>, %p: tensor<?xi32>, %s: tensor<16xf32>,
    %v: tensor<32xf32>) {
  // C3
  // expected-error@+1 {{v_scale elements must be 16, not 32}}
  %0:2 = llm.rope_cache %q, %k, %k table %t at %p, %p pairs adjacent norm %s, %s eps 1.0e-6 v_norm %v
      : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<8x4x2xf32>, tensor<?xi32>, tensor<?xi32>, tensor<16xf32>,
         tensor<16xf32>, tensor<32xf32>) -> (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c4(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %t: tensor<8x16x2xf32>, %p: tensor<?xi32>) {
  // C4
  // expected-error@+1 {{table turns 32 columns of a head of 16}}
  %0:2 = llm.rope_cache %q, %k, %k table %t at %p, %p pairs adjacent
      : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<8x16x2xf32>, tensor<?xi32>, tensor<?xi32>)
      -> (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c5(%q: tensor<4x64xf32>, %k: tensor<4x32xf32>, %t: tensor<8x4x2xf32>, %p: tensor<5xi32>) {
  // C5
  // expected-error@+1 {{positions: rows must be 4, not 5}}
  %0:2 = llm.rope_cache %q, %k, %k table %t at %p, %p pairs adjacent
      : (tensor<4x64xf32>, tensor<4x32xf32>, tensor<4x32xf32>, tensor<8x4x2xf32>, tensor<5xi32>, tensor<5xi32>)
      -> (tensor<4x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}
