// RUN: llcuda-opt --llm-fuse-rope-cache %s --split-input-file --remarks-filter-missed=.* --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// The keys are stored as they are.
// CHECK-LABEL: func.func @unturned_keys
// CHECK-NOT:     llm.qkv_rope_cache
func.func @unturned_keys(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{the keys do not come from a rotation that only the cache write reads}}
  %c = llm.cache_write %k, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// The values come from elsewhere.
// CHECK-LABEL: func.func @other_values
// CHECK-NOT:     llm.qkv_rope_cache
func.func @other_values(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>, %y: tensor<?x32xf32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{keys and values do not come from one qkv_linear}}
  %c = llm.cache_write %kr, %y, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// Something else reads the values too.
// CHECK-LABEL: func.func @values_read
// CHECK-NOT:     llm.qkv_rope_cache
func.func @values_read(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>) -> (tensor<?x64xf32>, tensor<?x32xf32>) {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{something else reads the keys or values}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a, %v : tensor<?x64xf32>, tensor<?x32xf32>
}

// -----

// The query is wanted unrotated too.
// CHECK-LABEL: func.func @query_read
// CHECK-NOT:     llm.qkv_rope_cache
func.func @query_read(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{the query does not go to a rotation only}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a, %q : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// Query and key turn by different tables.
// CHECK-LABEL: func.func @two_tables
// CHECK-NOT:     llm.qkv_rope_cache
func.func @two_tables(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>, %u: tensor<128x8x2xf32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %u, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{query and key turn by different tables or pairs}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// Query and key turn other pairs.
// CHECK-LABEL: func.func @two_pairs
// CHECK-NOT:     llm.qkv_rope_cache
func.func @two_pairs(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs halves : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{query and key turn by different tables or pairs}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// The keys turn by other positions than they are stored at.
// CHECK-LABEL: func.func @two_positions
// CHECK-NOT:     llm.qkv_rope_cache
func.func @two_positions(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>, %o: tensor<?xi32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %o head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{a rotation and the cache write have different positions}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// The query's heads are larger than those of the cache.
// CHECK-LABEL: func.func @head_size
// CHECK-NOT:     llm.qkv_rope_cache
func.func @head_size(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 32 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{a rotation has another head size than the cache}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// Only the query is normed.
// CHECK-LABEL: func.func @one_norm
// CHECK-NOT:     llm.qkv_rope_cache
func.func @one_norm(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>, %s: tensor<16xf32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qn = llm.head_norm %q, %s eps 1.0e-6 : tensor<?x64xf32>, tensor<16xf32>
  %qr = llm.rope %qn, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{only one of query and key has a norm}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// The norms differ in epsilon.
// CHECK-LABEL: func.func @two_epsilons
// CHECK-NOT:     llm.qkv_rope_cache
func.func @two_epsilons(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>, %s: tensor<16xf32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qn = llm.head_norm %q, %s eps 1.0e-5 : tensor<?x64xf32>, tensor<16xf32>
  %kn = llm.head_norm %k, %s eps 1.0e-6 : tensor<?x32xf32>, tensor<16xf32>
  %qr = llm.rope %qn, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %kn, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{the norms of query and key have different epsilons}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// The norm spans two heads.
// CHECK-LABEL: func.func @wide_norm
// CHECK-NOT:     llm.qkv_rope_cache
func.func @wide_norm(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>, %s: tensor<32xf32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qn = llm.head_norm %q, %s eps 1.0e-6 : tensor<?x64xf32>, tensor<32xf32>
  %kn = llm.head_norm %k, %s eps 1.0e-6 : tensor<?x32xf32>, tensor<32xf32>
  %qr = llm.rope %qn, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %kn, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // expected-remark@+1 {{a norm spans another number of columns than a head}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// Something reads the turned query before the cache is written.
// CHECK-LABEL: func.func @early_reader
// CHECK-NOT:     llm.qkv_rope_cache
func.func @early_reader(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %e = llm.add %qr, %qr : tensor<?x64xf32>
  // expected-remark@+1 {{the query is read before the cache is written}}
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a, %e : tensor<?x64xf32>, tensor<?x64xf32>
}
