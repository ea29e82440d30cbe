// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x64xf32>, %g: !llm.weight<32x64, f16>, %u: !llm.weight<32x32, f16>) {
  // C1
  // expected-error@+1 {{input has 64 columns, up_weight has 32}}
  %0 = llm.glu_linear silu %x, %g, %u
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x32, f16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_weights(%x: tensor<?x64xf32>, %g: !llm.weight<32x64, f16>, %u: !llm.weight<48x64, f16>) {
  // C2
  // expected-error@+1 {{up_weight rows must be 32, not 48}}
  %0 = llm.glu_linear silu %x, %g, %u
      : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<48x64, f16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_result(%x: tensor<?x64xf32>, %g: !llm.weight<48x64, f16>) {
  // C2
  // expected-error@+1 {{result has int8 rows of 48 columns, not a multiple of 32}}
  %0 = llm.glu_linear silu %x, %g, %g
      : (tensor<?x64xf32>, !llm.weight<48x64, f16>, !llm.weight<48x64, f16>) -> tensor<?x48x!llm.q8>
  return
}
