// RUN: llcuda-opt --llm-fuse-qkv %s | FileCheck %s

// The linears of query, key and value read one value: one op does all three, where the first stood, whatever
// their encodings. Parameters that come
// later move before it; the layer stays known.
// CHECK-LABEL: func.func @layer
// CHECK-SAME:    (%[[X:.*]]: tensor<?x64xf32>, %[[POS:.*]]: tensor<?xi32>
// CHECK:         %[[Q:.*]] = llm.parameter "q"
// CHECK:         %[[K:.*]] = llm.parameter "k"
// CHECK:         %[[V:.*]] = llm.parameter "v"
// CHECK:         %[[QUERY:.*]], %[[KEY:.*]], %[[VALUE:.*]] = llm.qkv_linear %[[X]], %[[Q]], %[[K]], %[[V]] {llm.layer = 7 : i64} :
// CHECK-NOT:     llm.linear
// CHECK:         %[[ROPE:.*]] = llm.rope %[[KEY]]
// CHECK:         llm.cache_write %[[ROPE]], %[[VALUE]]
// CHECK:         llm.attention %[[QUERY]]
func.func @layer(%x: tensor<?x64xf32>, %positions: tensor<?xi32>, %slots: tensor<?xi32>, %t: tensor<128x8x2xf32>) -> tensor<?x64xf32> {
  %wq = llm.parameter "q" : !llm.weight<64x64, q4_1>
  %q = llm.linear %x, %wq {llm.layer = 7} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %wk = llm.parameter "k" : !llm.weight<32x64, q4_1>
  %k = llm.linear %x, %wk {llm.layer = 7} : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %r = llm.rope %k, %t, %positions head_size 16 pairs adjacent : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %wv = llm.parameter "v" : !llm.weight<32x64, f16>
  %v = llm.linear %x, %wv {llm.layer = 7} : (tensor<?x64xf32>, !llm.weight<32x64, f16>) -> tensor<?x32xf32>
  %c = llm.cache_write %r, %v, %positions, %slots
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 7, 2x16, f16, f16>
  %a = llm.attention %q, %c, %positions, %slots heads 4 scale 0.25
      : (tensor<?x64xf32>, !llm.cache<layer 7, 2x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}
