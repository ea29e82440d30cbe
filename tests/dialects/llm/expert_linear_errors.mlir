// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x32xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>) {
  // C1
  // expected-error@+1 {{input has 32 columns, weight has 64}}
  %0 = llm.expert_linear %x, %e, %w of 8
      : (tensor<?x32xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_rows(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>) {
  // C2
  // expected-error@+1 {{weight has 256 rows, which are not those of 7 experts}}
  %0 = llm.expert_linear %x, %e, %w of 7
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_columns(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>) {
  // C2
  // expected-error@+1 {{result columns must be 32, not 256}}
  %0 = llm.expert_linear each %x, %e, %w of 8
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>) -> tensor<?x256xf32>
  return
}

// -----

func.func @c3(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<256x64, f32>, %b: tensor<32xf32>) {
  // C3
  // expected-error@+1 {{bias elements must be 256, not 32}}
  %0 = llm.expert_linear %x, %e, %w bias %b of 8
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, f32>, tensor<32xf32>) -> tensor<?x32xf32>
  return
}
