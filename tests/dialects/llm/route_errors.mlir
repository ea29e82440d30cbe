// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_columns(%l: tensor<?x8xf32>) {
  // C1
  // expected-error@+1 {{weights columns must be 2, not 3}}
  %0:2 = llm.route %l : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x3xf32>
  return
}

// -----

func.func @c1_rows(%l: tensor<4x8xf32>) {
  // C1
  // expected-error@+1 {{experts rows must be 4, not 5}}
  %0:2 = llm.route %l : tensor<4x8xf32> -> tensor<5x2xi32>, tensor<4x2xf32>
  return
}

// -----

func.func @c2_too_many(%l: tensor<?x8xf32>) {
  // C2
  // expected-error@+1 {{chooses 9 of 8 experts}}
  %0:2 = llm.route %l normalized : tensor<?x8xf32> -> tensor<?x9xi32>, tensor<?x9xf32>
  return
}

// -----

func.func @c2_none(%l: tensor<?x8xf32>) {
  // C2
  // expected-error@+1 {{chooses 0 of 8 experts}}
  %0:2 = llm.route %l : tensor<?x8xf32> -> tensor<?x0xi32>, tensor<?x0xf32>
  return
}
