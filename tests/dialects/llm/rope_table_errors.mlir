// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_dynamic() {
  // C1
  // expected-error@+1 {{result must be PxNx2, not 'tensor<?x1x2xf32>'}}
  %0 = llm.rope_table [1.0] magnitude 1.0 : tensor<?x1x2xf32>
  return
}

// -----

func.func @c1_pair() {
  // C1
  // expected-error@+1 {{result must be PxNx2, not 'tensor<8x1x3xf32>'}}
  %0 = llm.rope_table [1.0] magnitude 1.0 : tensor<8x1x3xf32>
  return
}

// -----

func.func @c2_count() {
  // C2
  // expected-error@+1 {{frequencies must be 2, not 1}}
  %0 = llm.rope_table [1.0] magnitude 1.0 : tensor<8x2x2xf32>
  return
}

// -----

func.func @c2_negative() {
  // C2
  // expected-error@+1 {{frequencies must be finite and not negative}}
  %0 = llm.rope_table [-1.0] magnitude 1.0 : tensor<8x1x2xf32>
  return
}

// -----

func.func @c2_infinite() {
  // C2
  // expected-error@+1 {{frequencies must be finite and not negative}}
  %0 = llm.rope_table [0x7FF0000000000000 : f64] magnitude 1.0 : tensor<8x1x2xf32>
  return
}

// -----

func.func @c3() {
  // C3
  // expected-error@+1 {{magnitude must be finite and positive}}
  %0 = llm.rope_table [1.0] magnitude 0.0 : tensor<8x1x2xf32>
  return
}

// -----

func.func @c4_alone() {
  // C4
  // expected-error@+1 {{growth and its period must be there together}}
  %0 = "llm.rope_table"() <{frequencies = [1.0], magnitude = 1.0 : f64, growth = 0.1 : f64}> : () -> tensor<8x1x2xf32>
  return
}

// -----

func.func @c4_growth() {
  // C4
  // expected-error@+1 {{growth must be finite and positive}}
  %0 = llm.rope_table [1.0] magnitude 1.0 growth 0.0 every 4.0 : tensor<8x1x2xf32>
  return
}

// -----

func.func @c4_period() {
  // C4
  // expected-error@+1 {{the period of the growth must be finite and positive}}
  %0 = llm.rope_table [1.0] magnitude 1.0 growth 0.1 every 0.0 : tensor<8x1x2xf32>
  return
}
