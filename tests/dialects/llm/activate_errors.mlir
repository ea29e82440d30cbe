// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x64xf32>) {
  // C1
  // expected-error@+1 {{activation must be of one value, not swiglu_oai}}
  %0 = llm.activate swiglu_oai %x : (tensor<?x64xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c2(%x: tensor<?x64xf32>) {
  // C2
  // expected-error@+1 {{result columns must be 64, not 32}}
  %0 = llm.activate gelu_erf %x : (tensor<?x64xf32>) -> tensor<?x32xf32>
  return
}
