// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x32xf32>, %w: !llm.weight<32x64, f16>, %u: tensor<?x32xf32>) {
  // C1
  // expected-error@+1 {{input has 32 columns, weight has 64}}
  %0 = llm.linear_glu silu %x, %w up %u : (tensor<?x32xf32>, !llm.weight<32x64, f16>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_up(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>) {
  // C2
  // expected-error@+1 {{up columns must be 32, not 64}}
  %0 = llm.linear_glu silu %x, %w up %x : (tensor<?x64xf32>, !llm.weight<32x64, f16>, tensor<?x64xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_result(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, f16>, %u: tensor<?x32xf32>) {
  // C2
  // expected-error@+1 {{result columns must be 32, not 64}}
  %0 = llm.linear_glu silu %x, %w up %u : (tensor<?x64xf32>, !llm.weight<32x64, f16>, tensor<?x32xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c2_int8(%x: tensor<?x64xf32>, %w: !llm.weight<48x64, f16>, %u: tensor<?x48xf32>) {
  // C2
  // expected-error@+1 {{result has int8 rows of 48 columns, not a multiple of 32}}
  %0 = llm.linear_glu silu %x, %w up %u : (tensor<?x64xf32>, !llm.weight<48x64, f16>, tensor<?x48xf32>) -> tensor<?x48x!llm.q8>
  return
}
