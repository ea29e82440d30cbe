// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x?xf32>, %w: tensor<?x2xf32>) {
  // C1
  // expected-error@+1 {{input needs a static number of columns}}
  %0 = llm.expert_sum %x, %w : tensor<?x?xf32>, tensor<?x2xf32>
  return
}
