// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1_result(%x: tensor<?x256xf32>, %a: tensor<?x4xf32>, %b: tensor<?x4xf32>, %r: tensor<4xf32>, %d: tensor<4xf32>,
              %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{result columns must be 128, not 64}}
  %0 = llm.delta_rule %x, %a, %b, %r, %d, %p, %s heads 2 of 4 head_size 32 layer 0
      : (tensor<?x256xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x64xf32>
  return
}

// -----

func.func @c1_input(%x: tensor<?x128xf32>, %a: tensor<?x4xf32>, %b: tensor<?x4xf32>, %r: tensor<4xf32>, %d: tensor<4xf32>,
              %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{input columns must be 256, not 128}}
  %0 = llm.delta_rule %x, %a, %b, %r, %d, %p, %s heads 2 of 4 head_size 32 layer 0
      : (tensor<?x128xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x128xf32>
  return
}

// -----

func.func @c2_heads(%x: tensor<?x256xf32>, %a: tensor<?x4xf32>, %b: tensor<?x4xf32>, %r: tensor<4xf32>, %d: tensor<4xf32>,
              %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{needs value heads that are a positive multiple of the key heads, and a positive head size, not 4 and 3 of 32}}
  %0 = llm.delta_rule %x, %a, %b, %r, %d, %p, %s heads 3 of 4 head_size 32 layer 0
      : (tensor<?x256xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x128xf32>
  return
}

// -----

func.func @c2_size(%x: tensor<?x256xf32>, %a: tensor<?x4xf32>, %b: tensor<?x4xf32>, %r: tensor<4xf32>, %d: tensor<4xf32>,
              %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{not 4 and 2 of 0}}
  %0 = llm.delta_rule %x, %a, %b, %r, %d, %p, %s heads 2 of 4 head_size 0 layer 0
      : (tensor<?x256xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x128xf32>
  return
}

// -----

func.func @c3_decay(%x: tensor<?x256xf32>, %a: tensor<?x3xf32>, %b: tensor<?x4xf32>, %r: tensor<4xf32>, %d: tensor<4xf32>,
              %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C3
  // expected-error@+1 {{decay columns must be 4, not 3}}
  %0 = llm.delta_rule %x, %a, %b, %r, %d, %p, %s heads 2 of 4 head_size 32 layer 0
      : (tensor<?x256xf32>, tensor<?x3xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x128xf32>
  return
}

// -----

func.func @c3_rate(%x: tensor<?x256xf32>, %a: tensor<?x4xf32>, %b: tensor<?x4xf32>, %r: tensor<5xf32>, %d: tensor<4xf32>,
              %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C3
  // expected-error@+1 {{rate elements must be 4, not 5}}
  %0 = llm.delta_rule %x, %a, %b, %r, %d, %p, %s heads 2 of 4 head_size 32 layer 0
      : (tensor<?x256xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<5xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x128xf32>
  return
}

// -----

func.func @c4_rows(%x: tensor<4x256xf32>, %a: tensor<?x4xf32>, %b: tensor<?x4xf32>, %r: tensor<4xf32>, %d: tensor<4xf32>,
              %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C4
  // expected-error@+1 {{result rows must be 4, not 5}}
  %0 = llm.delta_rule %x, %a, %b, %r, %d, %p, %s heads 2 of 4 head_size 32 layer 0
      : (tensor<4x256xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<5x128xf32>
  return
}

// -----

func.func @c5_layer(%x: tensor<?x256xf32>, %a: tensor<?x4xf32>, %b: tensor<?x4xf32>, %r: tensor<4xf32>, %d: tensor<4xf32>,
              %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // C5
  // expected-error@+1 {{layer must not be negative}}
  %0 = llm.delta_rule %x, %a, %b, %r, %d, %p, %s heads 2 of 4 head_size 32 layer -1
      : (tensor<?x256xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x128xf32>
  return
}
