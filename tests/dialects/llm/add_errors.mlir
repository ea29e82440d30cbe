// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// C1
// expected-note@+1 {{prior use here}}
func.func @c1(%a: tensor<?x64xf32>, %b: tensor<?x32xf32>) {
  // expected-error@+1 {{expects different type than prior uses}}
  %0 = llm.add %a, %b : tensor<?x32xf32>
  return
}

// -----

func.func @c1_rows(%a: tensor<?x64x!llm.q8>) {
  // C1
  // expected-error@+1 {{must be 2D tensor of 32-bit float values}}
  %0 = llm.add %a, %a : tensor<?x64x!llm.q8>
  return
}
