// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x64xf32>, %s: tensor<32xf32>) {
  // C1
  // expected-error@+1 {{scale elements must be 64, not 32}}
  %0 = llm.layer_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<32xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c2(%x: tensor<?x64xf32>, %s: tensor<64xf32>) {
  // C2
  // expected-error@+1 {{eps must be finite and positive}}
  %0 = llm.layer_norm %x, %s eps 0.0 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c3(%x: tensor<?x64xf32>, %s: tensor<64xf32>) {
  // C3
  // expected-error@+1 {{result columns must be 64, not 32}}
  %0 = llm.layer_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c4(%x: tensor<?x64xf32>, %s: tensor<64xf32>, %b: tensor<32xf32>) {
  // C4
  // expected-error@+1 {{shift elements must be 64, not 32}}
  %0 = llm.layer_norm %x, %s shift %b eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>, tensor<32xf32>) -> tensor<?x64xf32>
  return
}
