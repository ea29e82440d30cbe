// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%q: tensor<?x32xf32>, %c: !llm.cache<layer 0, 2x16, f16, f16>, %p: tensor<?xi32>) {
  // C1
  // expected-error@+1 {{query columns must be 64, not 32}}
  %0 = llm.attention %q, %c, %p, %p heads 4 scale 1.0
      : (tensor<?x32xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c2(%q: tensor<?x48xf32>, %c: !llm.cache<layer 0, 2x16, f16, f16>, %p: tensor<?xi32>) {
  // C2
  // expected-error@+1 {{heads must be a positive multiple of the cache's 2, not 3}}
  %0 = llm.attention %q, %c, %p, %p heads 3 scale 1.0
      : (tensor<?x48xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x48xf32>
  return
}

// -----

func.func @c3(%q: tensor<?x64xf32>, %c: !llm.cache<layer 0, 2x16, f16, f16>, %p: tensor<?xi32>) {
  // C3
  // expected-error@+1 {{scale must be finite and positive}}
  %0 = llm.attention %q, %c, %p, %p heads 4 scale 0.0
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c4(%q: tensor<?x64xf32>, %c: !llm.cache<layer 0, 2x16, f16, f16>, %p: tensor<?xi32>) {
  // C4
  // expected-error@+1 {{window must be positive}}
  %0 = llm.attention %q, %c, %p, %p heads 4 scale 1.0 window -5
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c5(%q: tensor<?x64xf32>, %c: !llm.cache<layer 0, 2x16, f16, f16>, %p: tensor<?xi32>) {
  // C5
  // expected-error@+1 {{softcap must be finite and positive}}
  %0 = llm.attention %q, %c, %p, %p heads 4 scale 1.0 softcap -1.0
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @c6(%q: tensor<?x64xf32>, %c: !llm.cache<layer 0, 2x16, f16, f16>, %p: tensor<?xi32>) {
  // C6
  // expected-error@+1 {{result columns must be 64, not 32}}
  %0 = llm.attention %q, %c, %p, %p heads 4 scale 1.0
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @c7(%q: tensor<2x64xf32>, %c: !llm.cache<layer 0, 2x16, f16, f16>, %p: tensor<3xi32>) {
  // C7
  // expected-error@+1 {{positions: rows must be 2, not 3}}
  %0 = llm.attention %q, %c, %p, %p heads 4 scale 1.0
      : (tensor<2x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<3xi32>, tensor<3xi32>) -> tensor<2x64xf32>
  return
}

// -----

func.func @c8(%q: tensor<?x64xf32>, %c: !llm.cache<layer 0, 2x16, f16, f16>, %p: tensor<?xi32>, %s: tensor<2xf32>) {
  // C8
  // expected-error@+1 {{sinks elements must be 4, not 2}}
  %0 = llm.attention %q, %c, %p, %p heads 4 scale 1.0 sinks %s
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>, tensor<2xf32>)
      -> tensor<?x64xf32>
  return
}
