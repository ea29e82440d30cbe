// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x32xf32>, %w: !llm.weight<32x64, f16>, %s: tensor<32xf32>) {
  // C1
  // expected-error@+1 {{input has 32 columns, weight has 64}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x norm %s eps 1.0e-5
      : (tensor<?x32xf32>, !llm.weight<32x64, f16>, tensor<?x32xf32>, tensor<32xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>)
  return
}

// -----

func.func @c2(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %s: tensor<32xf32>) {
  // C2
  // expected-error@+1 {{residual columns must be 32, not 64}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x norm %s eps 1.0e-5
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, tensor<?x64xf32>, tensor<32xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>)
  return
}

// -----

func.func @c3_scale(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, f16>, %s: tensor<32xf32>) {
  // C3
  // expected-error@+1 {{scale elements must be 64, not 32}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x norm %s eps 1.0e-5
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, tensor<?x64xf32>, tensor<32xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return
}

// -----

func.func @c3_post_scale(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, f16>, %s: tensor<64xf32>, %p: tensor<32xf32>) {
  // C3
  // expected-error@+1 {{post_scale elements must be 64, not 32}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x norm %s eps 1.0e-5 post_norm %p
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, tensor<?x64xf32>, tensor<64xf32>, tensor<32xf32>)
      -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return
}

// -----

func.func @c4(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, f16>, %s: tensor<64xf32>) {
  // C4
  // expected-error@+1 {{eps must be finite and positive}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x norm %s eps -1.0e-5
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, tensor<?x64xf32>, tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return
}

// -----

func.func @c5(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, f16>, %s: tensor<64xf32>) {
  // C5
  // expected-error@+1 {{normed columns must be 64, not 32}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x norm %s eps 1.0e-5
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, tensor<?x64xf32>, tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x32xf32>)
  return
}

// -----

func.func @c6(%x: tensor<?x64xf32>, %y: tensor<?x32xf32>, %w: !llm.weight<64x64, f16>, %s: tensor<64xf32>) {
  // C6
  // expected-error@+1 {{added columns must be 64, not 32}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x norm %s eps 1.0e-5 added %y
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, tensor<?x64xf32>, tensor<64xf32>, tensor<?x32xf32>)
      -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return
}

// -----

func.func @c7_factor(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, f16>, %s: tensor<64xf32>) {
  // C7
  // expected-error@+1 {{scales a sum whose product no post_scale norms}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x norm %s eps 1.0e-5 times 5.0e-1
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, tensor<?x64xf32>, tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return
}

// -----

func.func @c7_copied(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, f16>) {
  // C7
  // expected-error@+1 {{emits a sum whose product no post_scale norms}}
  %0:2 = llm.linear_residual_norm %x, %w residual %x eps 1.0e-5
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return
}
