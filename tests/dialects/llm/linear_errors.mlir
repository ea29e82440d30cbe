// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_columns(%x: tensor<?x32xf32>, %w: !llm.weight<8x64, f16>) {
  // C1
  // expected-error@+1 {{input has 32 columns, weight has 64}}
  %0 = llm.linear %x, %w : (tensor<?x32xf32>, !llm.weight<8x64, f16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @c1_block(%x: tensor<?x48x!llm.q8>, %w: !llm.weight<8x48, f16>) {
  // C1
  // expected-error@+1 {{input has int8 rows of 48 columns, not a multiple of 32}}
  %0 = llm.linear %x, %w : (tensor<?x48x!llm.q8>, !llm.weight<8x48, f16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @c1_dynamic(%x: tensor<?x?xf32>, %w: !llm.weight<8x64, f16>) {
  // C1
  // expected-error@+1 {{input needs a static number of columns}}
  %0 = llm.linear %x, %w : (tensor<?x?xf32>, !llm.weight<8x64, f16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @c2_columns(%x: tensor<?x64xf32>, %w: !llm.weight<8x64, f16>) {
  // C2
  // expected-error@+1 {{result columns must be 8, not 64}}
  %0 = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<8x64, f16>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c2_rows(%x: tensor<2x64xf32>, %w: !llm.weight<8x64, f16>) {
  // C2
  // expected-error@+1 {{result rows must be 2, not 3}}
  %0 = llm.linear %x, %w : (tensor<2x64xf32>, !llm.weight<8x64, f16>) -> tensor<3x8xf32>
  return
}

// -----

func.func @c3(%x: tensor<?x64xf32>, %w: !llm.weight<8x64, f16>, %b: tensor<64xf32>) {
  // C3
  // expected-error@+1 {{bias elements must be 8, not 64}}
  %0 = llm.linear %x, %w bias %b : (tensor<?x64xf32>, !llm.weight<8x64, f16>, tensor<64xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @c4(%x: tensor<?x64xf32>, %w: !llm.weight<8x64, f16>) {
  // C4
  // expected-error@+1 {{residual columns must be 8, not 64}}
  %0 = llm.linear %x, %w residual %x : (tensor<?x64xf32>, !llm.weight<8x64, f16>, tensor<?x64xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @c4_added(%x: tensor<?x64xf32>, %w: !llm.weight<8x64, f16>) {
  // C4
  // expected-error@+1 {{added columns must be 8, not 64}}
  %0 = llm.linear %x, %w added %x : (tensor<?x64xf32>, !llm.weight<8x64, f16>, tensor<?x64xf32>) -> tensor<?x8xf32>
  return
}
