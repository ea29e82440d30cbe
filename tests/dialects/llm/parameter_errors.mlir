// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1() {
  // C1
  // expected-error@+1 {{needs the name of a tensor}}
  %0 = llm.parameter "" : tensor<64xf32>
  return
}

// -----

func.func @c2() {
  // C2
  // expected-error@+1 {{needs a static shape}}
  %0 = llm.parameter "a" : tensor<?xf32>
  return
}

// -----

func.func @c3() {
  // C3
  // expected-error@+1 {{first_row must not be negative}}
  %0 = llm.parameter "a" first_row -1 : tensor<64xf32>
  return
}

// -----

func.func @c4_odd() {
  // C4
  // expected-error@+1 {{pair_rows must be even and positive, not 1}}
  %0 = llm.parameter "a" pair_rows 1 : tensor<64xf32>
  return
}

// -----

func.func @c6_divides() {
  // C6
  // expected-error@+1 {{groups of 48 rows do not divide 64}}
  %0 = llm.parameter "a" pair_rows 48 : !llm.weight<64x32, q4_0>
  return
}

// -----

func.func @c4_zero() {
  // C4
  // expected-error@+1 {{pair_rows must be even and positive, not 0}}
  %0 = llm.parameter "a" pair_rows 0 : !llm.weight<64x32, q4_0>
  return
}

// -----

func.func @c5() {
  // C5
  // expected-error@+1 {{plus is for vectors}}
  %0 = llm.parameter "a" plus 1.0 : !llm.weight<64x32, q4_0>
  return
}

// -----

func.func @c6_group_divides() {
  // C6
  // expected-error@+1 {{groups of 48 rows do not divide 64}}
  %0 = llm.parameter "a" pair_rows 16 of 48 : !llm.weight<64x32, q4_0>
  return
}

// -----

func.func @c6_small_group() {
  // C6
  // expected-error@+1 {{groups of 8 rows need as many pair_rows at most}}
  %0 = llm.parameter "a" pair_rows 16 of 8 : !llm.weight<64x32, q4_0>
  return
}

// -----

func.func @c6_alone() {
  // C6
  // expected-error@+1 {{groups of 16 rows need as many pair_rows at most}}
  %0 = llm.parameter "a" of 16 : !llm.weight<64x32, q4_0>
  return
}

// -----

func.func @c7_weight() {
  // C7
  // expected-error@+1 {{encoded 'f16' must be an encoding, of a vector}}
  %0 = llm.parameter "a" encoded "f16" : !llm.weight<64x32, q4_0>
  return
}

// -----

func.func @c7_unknown() {
  // C7
  // expected-error@+1 {{encoded 'f17' must be an encoding, of a vector}}
  %0 = llm.parameter "a" encoded "f17" : tensor<64xf32>
  return
}
