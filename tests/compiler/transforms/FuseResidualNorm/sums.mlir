// RUN: llcuda-opt --llm-fuse-residual-norm %s --split-input-file | FileCheck %s

// The sum is scaled before it is normed (Gemma 4): what is scaled is the sum.
// CHECK-LABEL: func.func @scaled
// CHECK-NEXT:    %[[SUM:.*]], %[[NORMED:.*]] = llm.linear_residual_norm %arg0, %arg1 residual %arg0 norm %arg2 eps {{.*}} post_norm %arg2 times 5.000000e-01
// CHECK-NEXT:    return %[[SUM]], %[[NORMED]]
func.func @scaled(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %s: tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %z = llm.rms_norm %y, %s eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %sum = llm.add %z, %x : tensor<?x64xf32>
  %half = llm.scale %sum by 0.5 : tensor<?x64xf32>
  %n = llm.rms_norm %half, %s eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %half, %n : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// Linears read a sum that no norm reads: they get rows of their own, everyone else the sum.
// CHECK-LABEL: func.func @read_by_linears
// CHECK-NEXT:    %[[SUM:.*]], %[[ROWS:.*]] = llm.linear_residual_norm %arg0, %arg1 residual %arg0 eps {{.*}} post_norm %arg2
// CHECK-NEXT:    %[[Y:.*]] = llm.linear %[[ROWS]], %arg1
// CHECK-NEXT:    return %[[SUM]], %[[Y]]
func.func @read_by_linears(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %s: tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %z = llm.rms_norm %y, %s eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %sum = llm.add %z, %x : tensor<?x64xf32>
  %l = llm.linear %sum, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  return %sum, %l : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// A scaled sum whose product is not normed: the linear adds, the product with the constant and the norm stay.
// CHECK-LABEL: func.func @no_post_norm
// CHECK-NEXT:    %[[SUM:.*]] = llm.linear %arg0, %arg1 residual %arg0
// CHECK-NEXT:    %[[HALF:.*]] = llm.scale %[[SUM]]
// CHECK-NEXT:    llm.rms_norm %[[HALF]]
func.func @no_post_norm(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %sum = llm.add %y, %x : tensor<?x64xf32>
  %half = llm.scale %sum by 0.5 : tensor<?x64xf32>
  %n = llm.rms_norm %half, %s eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}
