// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x96xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{input has 96 columns, q_weight has 64}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %w table %t at %p, %p pairs adjacent
      : (tensor<?x96xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>,
         tensor<8x8x2xf32>, tensor<?xi32>, tensor<?xi32>) -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c2(%x: tensor<?x64xf32>, %q: !llm.weight<40x64, f16>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{query columns must be a multiple of the head size 16, not 40}}
  %0:2 = llm.qkv_rope_cache %x, %q, %w, %w table %t at %p, %p pairs adjacent
      : (tensor<?x64xf32>, !llm.weight<40x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>,
         tensor<8x8x2xf32>, tensor<?xi32>, tensor<?xi32>) -> (tensor<?x40xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c3(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %v: !llm.weight<48x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>) {
  // C3
  // expected-error@+1 {{v_weight rows must be 32, not 48}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %v table %t at %p, %p pairs adjacent
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<48x64, f16>,
         tensor<8x8x2xf32>, tensor<?xi32>, tensor<?xi32>) -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c4(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>, %b: tensor<16xf32>) {
  // C4
  // expected-error@+1 {{q_bias elements must be 32, not 16}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %w table %t at %p, %p pairs adjacent bias %b, %b, %b
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, tensor<8x8x2xf32>,
         tensor<?xi32>, tensor<?xi32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
      -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c5_elements(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>,
                       %s: tensor<16xf32>, %l: tensor<32xf32>) {
  // C5
  // expected-error@+1 {{k_scale elements must be 16, not 32}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %w table %t at %p, %p pairs adjacent norm %s, %l eps 1.0e-6
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, tensor<8x8x2xf32>,
         tensor<?xi32>, tensor<?xi32>, tensor<16xf32>, tensor<32xf32>)
      -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c5_eps(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>, %s: tensor<16xf32>) {
  // C5
  // expected-error@+1 {{eps must be finite and positive}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %w table %t at %p, %p pairs adjacent norm %s, %s eps 0.0
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, tensor<8x8x2xf32>,
         tensor<?xi32>, tensor<?xi32>, tensor<16xf32>, tensor<16xf32>)
      -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c5_together(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>) {
  // C5
  // expected-error@+1 {{needs q_scale, k_scale and eps together or none}}
  %0:2 = "llm.qkv_rope_cache"(%x, %w, %w, %w, %t, %p, %p)
      <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0>, pairs = 0 : i32, eps = 1.0 : f32}>
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>,
         tensor<8x8x2xf32>, tensor<?xi32>, tensor<?xi32>) -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c6(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<8x9x2xf32>, %p: tensor<?xi32>) {
  // C6
  // expected-error@+1 {{table turns 18 columns of a head of 16}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %w table %t at %p, %p pairs adjacent
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>,
         tensor<8x9x2xf32>, tensor<?xi32>, tensor<?xi32>) -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c7(%x: tensor<2x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<2xi32>, %s: tensor<3xi32>) {
  // C7
  // expected-error@+1 {{slots: rows must be 2, not 3}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %w table %t at %p, %s pairs adjacent
      : (tensor<2x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>,
         tensor<8x8x2xf32>, tensor<2xi32>, tensor<3xi32>) -> (tensor<2x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c8(%x: tensor<?x64x!llm.q8>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>) {
  // C8
  // expected-error@+1 {{has int8 rows twice}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %w table %t at %p, %p pairs adjacent int8 %x
      : (tensor<?x64x!llm.q8>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>,
         tensor<8x8x2xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x64x!llm.q8>)
      -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}

// -----

func.func @c9(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %t: tensor<8x8x2xf32>, %p: tensor<?xi32>) {
  // C9
  // expected-error@+1 {{v_added columns must be 32, not 64}}
  %0:2 = llm.qkv_rope_cache %x, %w, %w, %w table %t at %p, %p pairs adjacent v_added %x
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>,
         tensor<8x8x2xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?x64xf32>)
      -> (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  return
}
