// RUN: llcuda-opt --llm-fuse-residual-norm %s --split-input-file | FileCheck %s

// The product that the linear adds takes the residual, and the linear the norm.
// CHECK-LABEL: func.func @takes_residual
// CHECK-NEXT:    %[[P:.*]] = llm.linear %arg2, %arg3 residual %arg4
// CHECK-NEXT:    llm.linear_residual_norm %arg0, %arg1 residual %[[P]] norm %arg5
// CHECK-NEXT:    return
func.func @takes_residual(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %t: tensor<?x32xf32>, %b: !llm.weight<64x32, f16>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %p = llm.linear %t, %b : (tensor<?x32xf32>, !llm.weight<64x32, f16>) -> tensor<?x64xf32>
  %y = llm.linear %x, %w residual %p : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}

// -----

// A product that something else reads stays what it is.
// CHECK-LABEL: func.func @other_reader
// CHECK:         llm.linear %arg2, %arg3 :
// CHECK:         llm.add
func.func @other_reader(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %t: tensor<?x32xf32>, %b: !llm.weight<64x32, f16>, %r: tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %p = llm.linear %t, %b : (tensor<?x32xf32>, !llm.weight<64x32, f16>) -> tensor<?x64xf32>
  %y = llm.linear %x, %w residual %p : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %sum = llm.add %r, %y : tensor<?x64xf32>
  return %sum, %p : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// A norm between the linear and the sum is of both products.
// CHECK-LABEL: func.func @post_norm
// CHECK:         llm.linear %arg2, %arg3 :
// CHECK:         llm.add
func.func @post_norm(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %t: tensor<?x32xf32>, %b: !llm.weight<64x32, f16>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %p = llm.linear %t, %b : (tensor<?x32xf32>, !llm.weight<64x32, f16>) -> tensor<?x64xf32>
  %y = llm.linear %x, %w residual %p : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %n = llm.rms_norm %y, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %sum = llm.add %r, %n : tensor<?x64xf32>
  return %sum : tensor<?x64xf32>
}
