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

// -----

func.func @c3_shape(%x: tensor<?x64xf32>, %q: tensor<?x32x!llm.q8>, %g: !llm.weight<64x64, f16>) {
  // C3
  // expected-error@+1 {{int8_input columns must be 64, not 32}}
  %0 = llm.glu_linear silu %x, %g, %g int8 %q
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, !llm.weight<64x64, f16>, tensor<?x32x!llm.q8>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c3_twice(%x: tensor<?x64x!llm.q8>, %g: !llm.weight<64x64, f16>) {
  // C3
  // expected-error@+1 {{has int8 rows twice}}
  %0 = llm.glu_linear silu %x, %g, %g int8 %x
      : (tensor<?x64x!llm.q8>, !llm.weight<64x64, f16>, !llm.weight<64x64, f16>, tensor<?x64x!llm.q8>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c4(%x: tensor<?x64xf32>, %y: tensor<?x32xf32>, %g: !llm.weight<64x64, f16>) {
  // C4
  // expected-error@+1 {{up_added columns must be 64, not 32}}
  %0 = llm.glu_linear silu %x, %g, %g gate_added %x up_added %y
      : (tensor<?x64xf32>, !llm.weight<64x64, f16>, !llm.weight<64x64, f16>, tensor<?x64xf32>, tensor<?x32xf32>) -> tensor<?x64xf32>
  return
}
