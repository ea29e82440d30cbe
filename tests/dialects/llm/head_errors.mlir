// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x32xf32>, %w: !llm.weight<512x64, f16>, %r: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{input has 32 columns, weight has 64}}
  %0 = llm.head %x, %w, %r : (tensor<?x32xf32>, !llm.weight<512x64, f16>, tensor<?xi32>) -> tensor<?x512xf32>
  return
}

// -----

func.func @c2_columns(%x: tensor<?x64xf32>, %w: !llm.weight<512x64, f16>, %r: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{logits columns must be 512, not 64}}
  %0 = llm.head %x, %w, %r : (tensor<?x64xf32>, !llm.weight<512x64, f16>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

// Rows come from output_rows, not from the input.
func.func @c2_rows(%x: tensor<8x64xf32>, %w: !llm.weight<512x64, f16>, %r: tensor<1xi32>) {
  // C2
  // expected-error@+1 {{logits rows must be 1, not 8}}
  %0 = llm.head %x, %w, %r : (tensor<8x64xf32>, !llm.weight<512x64, f16>, tensor<1xi32>) -> tensor<8x512xf32>
  return
}

// -----

func.func @c3(%x: tensor<?x64xf32>, %w: !llm.weight<512x64, f16>, %r: tensor<?xi32>) {
  // C3
  // expected-error@+1 {{softcap must be finite and positive}}
  %0 = llm.head %x, %w, %r softcap 0.0 : (tensor<?x64xf32>, !llm.weight<512x64, f16>, tensor<?xi32>) -> tensor<?x512xf32>
  return
}
