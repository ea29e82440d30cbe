// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%g: tensor<?x64xf32>, %u: tensor<?x32xf32>) {
  // C1
  // expected-error@+1 {{gate and up must have one type, not 'tensor<?x64xf32>' and 'tensor<?x32xf32>'}}
  %0 = llm.glu silu %g, %u : (tensor<?x64xf32>, tensor<?x32xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c2(%g: tensor<?x64xf32>) {
  // C2
  // expected-error@+1 {{result columns must be 64, not 32}}
  %0 = llm.glu silu %g, %g : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x32xf32>
  return
}
