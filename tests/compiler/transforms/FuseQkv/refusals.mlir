// RUN: llcuda-opt --llm-fuse-qkv %s --split-input-file --remarks-filter-missed=.* --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// The values come from another value than query and keys.
// CHECK-LABEL: func.func @two_values
// CHECK-NOT:     llm.qkv_linear
func.func @two_values(%x: tensor<?x64xf32>, %p: tensor<?xi32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %wv: !llm.weight<32x64, q4_1>, %y: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %q = llm.linear %x, %wq : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %k = llm.linear %x, %wk : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %v = llm.linear %y, %wv : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %c = llm.cache_write %k, %v, %p, %p : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  // expected-remark@+1 {{the linears of query, key and value read different values}}
  %a = llm.attention %q, %c, %p, %p heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// The query is wanted elsewhere too, unrotated.
// CHECK-LABEL: func.func @other_reader
// CHECK-NOT:     llm.qkv_linear
func.func @other_reader(%x: tensor<?x64xf32>, %p: tensor<?xi32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %wv: !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %q = llm.linear %x, %wq : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %k = llm.linear %x, %wk : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %v = llm.linear %x, %wv : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %c = llm.cache_write %k, %v, %p, %p : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  // expected-remark@+1 {{query, keys or values do not come from a linear that only they read}}
  %a = llm.attention %q, %c, %p, %p heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a, %q : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// A linear that adds something is none of the three.
// CHECK-LABEL: func.func @residual
// CHECK-NOT:     llm.qkv_linear
func.func @residual(%x: tensor<?x64xf32>, %p: tensor<?xi32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %wv: !llm.weight<32x64, q4_1>, %r: tensor<?x32xf32>) -> tensor<?x64xf32> {
  %q = llm.linear %x, %wq : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %k = llm.linear %x, %wk : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %v = llm.linear %x, %wv residual %r : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>, tensor<?x32xf32>) -> tensor<?x32xf32>
  %c = llm.cache_write %k, %v, %p, %p : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  // expected-remark@+1 {{a linear of query, key or value adds a residual}}
  %a = llm.attention %q, %c, %p, %p heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// Only the keys have a bias.
// CHECK-LABEL: func.func @one_bias
// CHECK-NOT:     llm.qkv_linear
func.func @one_bias(%x: tensor<?x64xf32>, %p: tensor<?xi32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %wv: !llm.weight<32x64, q4_1>, %b: tensor<32xf32>) -> tensor<?x64xf32> {
  %q = llm.linear %x, %wq : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %k = llm.linear %x, %wk bias %b : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>, tensor<32xf32>) -> tensor<?x32xf32>
  %v = llm.linear %x, %wv : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %c = llm.cache_write %k, %v, %p, %p : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  // expected-remark@+1 {{some of the linears of query, key and value have a bias, some have none}}
  %a = llm.attention %q, %c, %p, %p heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// The cache comes from outside: nothing says which linears make keys and values.
// CHECK-LABEL: func.func @cache_from_outside
// CHECK-NOT:     llm.qkv_linear
func.func @cache_from_outside(%x: tensor<?x64xf32>, %p: tensor<?xi32>, %wq: !llm.weight<64x64, q4_1>,
    %c: !llm.cache<layer 0, 2x16, f16, f16>) -> tensor<?x64xf32> {
  %q = llm.linear %x, %wq : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  // expected-remark@+1 {{the cache is not written by a cache_write of this function}}
  %a = llm.attention %q, %c, %p, %p heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// A bias that is computed only after the query's linear cannot be there in time.
// CHECK-LABEL: func.func @late_bias
// CHECK-NOT:     llm.qkv_linear
func.func @late_bias(%x: tensor<?x64xf32>, %p: tensor<?xi32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %bq: tensor<64xf32>) -> tensor<?x64xf32> {
  %q = llm.linear %x, %wq bias %bq : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<64xf32>) -> tensor<?x64xf32>
  %bk = call @bias() : () -> tensor<32xf32>
  %k = llm.linear %x, %wk bias %bk : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>, tensor<32xf32>) -> tensor<?x32xf32>
  %v = llm.linear %x, %wk bias %bk : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>, tensor<32xf32>) -> tensor<?x32xf32>
  %c = llm.cache_write %k, %v, %p, %p : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  // expected-remark@+1 {{a weight or bias is computed after the first of the three linears}}
  %a = llm.attention %q, %c, %p, %p heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}
func.func private @bias() -> tensor<32xf32>
