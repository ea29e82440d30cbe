// RUN: llcuda-opt --llm-fuse-rope-cache %s --split-input-file | FileCheck %s

// Linears, rotations and cache write are one op; only the attention is left beside it.
// CHECK-LABEL: func.func @llama
// CHECK-NEXT:    %[[Q:.*]], %[[C:.*]] = llm.qkv_rope_cache %arg0, %arg1, %arg2, %arg2 table %arg3 at %arg4, %arg5 pairs adjacent {llm.layer = 3 : i64} :
// CHECK-NEXT:    llm.attention %[[Q]], %[[C]]
// CHECK-NEXT:    return
func.func @llama(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// The norms of query and key heads (Gemma 3, Qwen 3) go with them.
// CHECK-LABEL: func.func @head_norms
// CHECK-NEXT:    llm.qkv_rope_cache {{.*}} pairs adjacent norm %arg6, %arg6 eps {{.*}} {llm.layer = 3 : i64} :
// CHECK-NEXT:    llm.attention
// CHECK-NEXT:    return
func.func @head_norms(%x: tensor<?x64xf32>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, q4_1>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>, %s: tensor<16xf32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk {llm.layer = 3} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qn = llm.head_norm %q, %s eps 1.0e-6 : tensor<?x64xf32>, tensor<16xf32>
  %kn = llm.head_norm %k, %s eps 1.0e-6 : tensor<?x32xf32>, tensor<16xf32>
  %qr = llm.rope %qn, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %kn, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %c = llm.cache_write %kr, %v, %p, %slots : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// -----

// Int8 rows beside the f32 rows stay beside them, and so do the biases.
// CHECK-LABEL: func.func @int8_rows
// CHECK:         llm.qkv_rope_cache %arg0, {{.*}} bias %arg7, %arg8, %arg8 int8 %arg1 :
func.func @int8_rows(%x: tensor<?x64xf32>, %xq: tensor<?x64x!llm.q8>, %wq: !llm.weight<64x64, q4_1>, %wk: !llm.weight<32x64, f16>,
    %t: tensor<128x8x2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>, %bq: tensor<64xf32>, %bk: tensor<32xf32>) -> tensor<?x64xf32> {
  %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wk bias %bq, %bk, %bk int8 %xq
      : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, f16>, !llm.weight<32x64, f16>, tensor<64xf32>,
         tensor<32xf32>, tensor<32xf32>, tensor<?x64x!llm.q8>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %qr = llm.rope %q, %t, %p head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %kr = llm.rope %k, %t, %p head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %c = llm.cache_write %kr, %v, %p, %slots
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 2x16, f16, f16>
  %a = llm.attention %qr, %c, %p, %slots heads 4 scale 0.25
      : (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}
