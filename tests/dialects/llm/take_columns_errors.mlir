// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_input(%x: tensor<?x48xf32>) {
  // C1
  // expected-error@+1 {{input columns must be a multiple of 32, not 48}}
  %0 = llm.take_columns %x 16 of 32 from 16 : tensor<?x48xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @c1_result(%x: tensor<?x64xf32>) {
  // C1
  // expected-error@+1 {{result columns must be 32, not 64}}
  %0 = llm.take_columns %x 16 of 32 from 16 : tensor<?x64xf32> -> tensor<?x64xf32>
  return
}

// -----

func.func @c1_static(%x: tensor<?x?xf32>) {
  // C1
  // expected-error@+1 {{input needs a static number of columns}}
  %0 = llm.take_columns %x 16 of 32 from 16 : tensor<?x?xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_past_the_end(%x: tensor<?x64xf32>) {
  // C2
  // expected-error@+1 {{cannot take 16 of 32 columns from 17}}
  %0 = llm.take_columns %x 16 of 32 from 17 : tensor<?x64xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_none(%x: tensor<?x64xf32>) {
  // C2
  // expected-error@+1 {{cannot take 0 of 32 columns from 0}}
  %0 = llm.take_columns %x 0 of 32 from 0 : tensor<?x64xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @c2_before(%x: tensor<?x64xf32>) {
  // C2
  // expected-error@+1 {{cannot take 16 of 32 columns from -1}}
  %0 = llm.take_columns %x 16 of 32 from -1 : tensor<?x64xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @c3_rows(%x: tensor<4x64xf32>) {
  // C3
  // expected-error@+1 {{result rows must be 4, not 5}}
  %0 = llm.take_columns %x 16 of 32 from 16 : tensor<4x64xf32> -> tensor<5x32xf32>
  return
}
