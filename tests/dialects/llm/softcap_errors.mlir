// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x64xf32>) {
  // C1
  // expected-error@+1 {{cap must be finite and positive}}
  %0 = llm.softcap %x cap 0.0 : tensor<?x64xf32>
  return
}
