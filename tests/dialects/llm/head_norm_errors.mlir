// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x64xf32>, %s: tensor<48xf32>) {
  // C1
  // expected-error@+1 {{input columns must be a multiple of the 48 elements of scale, not 64}}
  %0 = llm.head_norm %x, %s eps 1.0e-5 : tensor<?x64xf32>, tensor<48xf32>
  return
}

// -----

func.func @c2(%x: tensor<?x64xf32>, %s: tensor<16xf32>) {
  // C2
  // expected-error@+1 {{eps must be finite and positive}}
  %0 = llm.head_norm %x, %s eps -1.0 : tensor<?x64xf32>, tensor<16xf32>
  return
}
