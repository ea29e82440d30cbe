// RUN: llcuda-opt --llm-fuse-glu %s --split-input-file | FileCheck %s

// What the linear gates comes from no linear: Gemma 4's embeddings of a layer, some columns of those of all.
// CHECK-LABEL: func.func @own_embedding
// CHECK-NEXT:    %[[U:.*]] = llm.take_columns
// CHECK-NEXT:    %[[Y:.*]] = llm.linear_glu gelu_tanh %arg0, %arg1 up %[[U]] {llm.layer = 1 : i64} :
// CHECK-NEXT:    return %[[Y]]
func.func @own_embedding(%x: tensor<?x64xf32>, %w: !llm.weight<32x64, q4_1>, %all: tensor<?x96xf32>) -> tensor<?x32xf32> {
  %g = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<32x64, q4_1>) -> tensor<?x32xf32>
  %u = llm.take_columns %all 32 of 96 from 32 : tensor<?x96xf32> -> tensor<?x32xf32>
  %y = llm.glu gelu_tanh %g, %u {llm.layer = 1} : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// A linear that something else reads, or that has a bias, stays.
// CHECK-LABEL: func.func @read_twice
// CHECK-NOT:     llm.linear_glu
func.func @read_twice(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %b: tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  %g = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %y = llm.glu silu %g, %x : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %h = llm.linear %x, %w bias %b : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<64xf32>) -> tensor<?x64xf32>
  %z = llm.glu silu %h, %x : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %g, %y, %z : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}
