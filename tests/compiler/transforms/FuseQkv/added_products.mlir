// RUN: llcuda-opt --llm-fuse-qkv --llm-fuse-rope-cache %s | FileCheck %s

// The low-rank product of the values is computed after the first of the three linears: it moves before it, and is then
// an operand of what becomes of all.
// CHECK-LABEL: func.func @layer
// CHECK-DAG:     %[[Q:.*]] = llm.low_rank %arg0, %{{.*}}, %{{.*}} : {{.*}} -> tensor<?x64xf32>
// CHECK-DAG:     %[[V:.*]] = llm.low_rank %arg0, %{{.*}}, %{{.*}} : {{.*}} -> tensor<?x32xf32>
// CHECK:         llm.qkv_rope_cache %arg0, {{.*}} q_added %[[Q]] v_added %[[V]] :
// CHECK-NOT:     llm.linear
func.func @layer(%x: tensor<?x64xf32>, %positions: tensor<?xi32>, %slots: tensor<?xi32>, %t: tensor<128x8x2xf32>) -> tensor<?x64xf32> {
  %a = llm.parameter "a" : !llm.weight<32x64, f16>
  %bq = llm.parameter "bq" : !llm.weight<64x32, f16>
  %pq = llm.low_rank %x, %a, %bq : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<64x32, f16>) -> tensor<?x64xf32>
  %wq = llm.parameter "q" : !llm.weight<64x64, q4_1>
  %q = llm.linear %x, %wq added %pq : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %wk = llm.parameter "k" : !llm.weight<32x64, q4_1>
  %k = llm.linear %x, %wk : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %bv = llm.parameter "bv" : !llm.weight<32x32, f16>
  %pv = llm.low_rank %x, %a, %bv : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<32x32, f16>) -> tensor<?x32xf32>
  %wv = llm.parameter "v" : !llm.weight<32x64, q4_1>
  %v = llm.linear %x, %wv added %pv : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>, tensor<?x32xf32>) -> tensor<?x32xf32>
  %rq = llm.rope %q, %t, %positions head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %rk = llm.rope %k, %t, %positions head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %c = llm.cache_write %rk, %v, %positions, %slots
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 7, 2x16, f16, f16>
  %y = llm.attention %rq, %c, %positions, %slots heads 4 scale 0.25
      : (tensor<?x64xf32>, !llm.cache<layer 7, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
