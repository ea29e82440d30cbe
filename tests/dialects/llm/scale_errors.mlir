// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x64xf32>) {
  // C1
  // expected-error@+1 {{factor must be finite}}
  %0 = llm.scale %x by 0x7F800000 : tensor<?x64xf32>
  return
}
