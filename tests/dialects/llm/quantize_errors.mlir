// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_shape(%x: tensor<?x64xf32>) {
  // C1
  // expected-error@+1 {{result columns must be 64, not 32}}
  %0 = llm.quantize %x : tensor<?x64xf32> -> tensor<?x32x!llm.q8>
  return
}

// -----

func.func @c1_element(%x: tensor<?x64xf32>) {
  // C1
  // expected-error@+1 {{must be 2D tensor of}}
  %0 = llm.quantize %x : tensor<?x64xf32> -> tensor<?x64xf32>
  return
}

// -----

func.func @c2(%x: tensor<?x48xf32>) {
  // C2
  // expected-error@+1 {{result has int8 rows of 48 columns, not a multiple of 32}}
  %0 = llm.quantize %x : tensor<?x48xf32> -> tensor<?x48x!llm.q8>
  return
}
