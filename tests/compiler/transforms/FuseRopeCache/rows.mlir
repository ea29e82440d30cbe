// RUN: llcuda-opt --llm-fuse-rope-cache %s --split-input-file | FileCheck %s

// Values are normed too (Gemma 4): the linears stay, the rest is one op.
// CHECK-LABEL: func.func @value_norm
// CHECK:         %[[Q:.*]], %[[K:.*]], %[[V:.*]] = llm.qkv_linear
// CHECK-NEXT:    %[[QUERY:.*]], %[[C:.*]] = llm.rope_cache %[[Q]], %[[K]], %[[V]] table %arg3 at %arg4, %arg4 pairs adjacent norm %arg5, %arg5 eps {{.*}} v_norm %arg6
// CHECK-NEXT:    llm.attention %[[QUERY]], %[[C]],
func.func @value_norm(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %s: tensor<16xf32>, %ones: tensor<16xf32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qn = llm.head_norm %q, %s eps 1.0e-6 : tensor<?x64xf32>, tensor<16xf32>
  %kn = llm.head_norm %k, %s eps 1.0e-6 : tensor<?x32xf32>, tensor<16xf32>
  %vn = llm.head_norm %v, %ones eps 1.0e-6 : tensor<?x32xf32>, tensor<16xf32>
  %qr = llm.rope %qn, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %kn, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %c = llm.cache_write %kr, %vn, %p, %p : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %p heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// Queries are some columns of a linear (Qwen 3.5), of which others are their gates. The layer that shares the cache has
// a query alone, whose heads the rotation norms.
// CHECK-LABEL: func.func @some_columns
// CHECK:         %[[T:.*]] = llm.take_columns %[[Q:.*]] 16 of 32 from 0
// CHECK:         %[[QUERY:.*]], %[[C:.*]] = llm.rope_cache %[[T]], %{{.*}}, %{{.*}} table
// CHECK:         %[[R:.*]] = llm.rope %arg7, {{.*}} norm %arg5 eps
// CHECK-NEXT:    llm.attention %[[R]], %[[C]],
func.func @some_columns(%x: tensor<?x64xf32>, %wq: !llm.weight<128x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %s: tensor<16xf32>, %slots: tensor<?xi32>, %y: tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x128xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qt = llm.take_columns %q 16 of 32 from 0 : tensor<?x128xf32> -> tensor<?x64xf32>
  %qn = llm.head_norm %qt, %s eps 1.0e-6 : tensor<?x64xf32>, tensor<16xf32>
  %kn = llm.head_norm %k, %s eps 1.0e-6 : tensor<?x32xf32>, tensor<16xf32>
  %qr = llm.rope %qn, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %kn, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %g = llm.take_columns %q 16 of 32 from 16 : tensor<?x128xf32> -> tensor<?x64xf32>
  %o = llm.glu sigmoid %g, %a : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %yn = llm.head_norm %y, %s eps 1.0e-6 : tensor<?x64xf32>, tensor<16xf32>
  %yr = llm.rope %yn, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %b = llm.attention %yr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %o, %b : tensor<?x64xf32>, tensor<?x64xf32>
}
