// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %v: !llm.weight<32x96, f16>) {
  // C1
  // expected-error@+1 {{input has 64 columns, v_weight has 96}}
  %0:3 = llm.qkv_linear %x, %w, %w, %v
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x96, f16>)
      -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  return
}

// -----

func.func @c2(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // C2
  // expected-error@+1 {{key columns must be 32, not 64}}
  %0:3 = llm.qkv_linear %x, %w, %w, %w
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>)
      -> (tensor<?x32xf32>, tensor<?x64xf32>, tensor<?x32xf32>)
  return
}

// -----

func.func @c3_elements(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %b: tensor<32xf32>, %c: tensor<64xf32>) {
  // C3
  // expected-error@+1 {{v_bias elements must be 32, not 64}}
  %0:3 = llm.qkv_linear %x, %w, %w, %w bias %b, %b, %c
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, tensor<32xf32>,
         tensor<32xf32>, tensor<64xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  return
}

// -----

func.func @c3_together(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %b: tensor<32xf32>) {
  // C3
  // expected-error@+1 {{needs all three biases or none}}
  %0:3 = "llm.qkv_linear"(%x, %w, %w, %w, %b) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0>}>
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, tensor<32xf32>)
      -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  return
}

// -----

func.func @c4(%x: tensor<?x64xf32>, %q: tensor<?x32x!llm.q8>, %w: !llm.weight<32x64, f16>) {
  // C4
  // expected-error@+1 {{int8_input columns must be 64, not 32}}
  %0:3 = llm.qkv_linear %x, %w, %w, %w int8 %q
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, tensor<?x32x!llm.q8>)
      -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  return
}

// -----

func.func @c5(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // C5
  // expected-error@+1 {{k_added columns must be 32, not 64}}
  %0:3 = llm.qkv_linear %x, %w, %w, %w k_added %x
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, tensor<?x64xf32>)
      -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  return
}
