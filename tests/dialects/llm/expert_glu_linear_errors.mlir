// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_gate(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>, %u: !llm.weight<256x32, f32>) {
  // C1
  // expected-error@+1 {{input has 32 columns, gate_weight has 64}}
  %0 = llm.expert_glu_linear silu %x, %e, %w, %u of 8
      : (tensor<?x32xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>, !llm.weight<256x32, f32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c1_up(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x32, f32>, %u: !llm.weight<256x64, f32>) {
  // C1
  // expected-error@+1 {{input has 32 columns, up_weight has 64}}
  %0 = llm.expert_glu_linear silu %x, %e, %w, %u of 8
      : (tensor<?x32xf32>, tensor<?x2xi32>, !llm.weight<256x32, f32>, !llm.weight<256x64, f32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_weights(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>, %u: !llm.weight<512x64, f32>) {
  // C2
  // expected-error@+1 {{up_weight rows must be 256, not 512}}
  %0 = llm.expert_glu_linear silu %x, %e, %w, %u of 8
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>, !llm.weight<512x64, f32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_rows(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>) {
  // C2
  // expected-error@+1 {{gate_weight has 256 rows, which are not those of 7 experts}}
  %0 = llm.expert_glu_linear silu %x, %e, %w, %w of 7
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>, !llm.weight<256x64, f32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_columns(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>) {
  // C2
  // expected-error@+1 {{result columns must be 32, not 256}}
  %0 = llm.expert_glu_linear silu %x, %e, %w, %w of 8
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>, !llm.weight<256x64, f32>) -> tensor<?x256xf32>
  return
}

// -----

func.func @c3(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>, %b: tensor<256xf32>, %s: tensor<32xf32>) {
  // C3
  // expected-error@+1 {{up_bias elements must be 256, not 32}}
  %0 = llm.expert_glu_linear silu %x, %e, %w, %w bias %b, %s of 8
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>, !llm.weight<256x64, f32>, tensor<256xf32>, tensor<32xf32>)
      -> tensor<?x32xf32>
  return
}

// -----

func.func @c3_one(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>, %b: tensor<256xf32>) {
  // C3
  // expected-error@+1 {{needs both biases or none}}
  %0 = "llm.expert_glu_linear"(%x, %e, %w, %w, %b) {activation = 0 : i32, count = 8, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>, !llm.weight<256x64, f32>, tensor<256xf32>) -> tensor<?x32xf32>
  return
}
