// RUN: llcuda-opt --llm-fuse-residual-norm %s --split-input-file | FileCheck %s

// What the linear adds it goes on adding, with a norm and without.
// CHECK-LABEL: func.func @added
// CHECK-NEXT:    %[[P:.*]] = llm.low_rank %arg0
// CHECK-NEXT:    %[[SUM:.*]], %[[N:.*]] = llm.linear_residual_norm %arg0, %arg1 residual %arg4 norm %arg5 eps {{.*}} added %[[P]] :
// CHECK-NEXT:    llm.linear %[[N]], %arg1 residual %[[SUM]] added %[[P]] :
// CHECK-NEXT:    return
func.func @added(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %a: !llm.weight<32x64, f16>, %b: !llm.weight<64x32, f16>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %p = llm.low_rank %x, %a, %b : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<64x32, f16>) -> tensor<?x64xf32>
  %y = llm.linear %x, %w added %p : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %z = llm.linear %n, %w added %p : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %last = llm.add %sum, %z : tensor<?x64xf32>
  return %last : tensor<?x64xf32>
}

// -----

// A post-norm is of both products.
// CHECK-LABEL: func.func @post_norm
// CHECK:         llm.linear_residual_norm %arg0, %arg1 residual %arg4 norm %arg5 eps {{.*}} post_norm %arg5 added %{{.*}} :
func.func @post_norm(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %a: !llm.weight<32x64, f16>, %b: !llm.weight<64x32, f16>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %p = llm.low_rank %x, %a, %b : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<64x32, f16>) -> tensor<?x64xf32>
  %y = llm.linear %x, %w added %p : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %post = llm.rms_norm %y, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %sum = llm.add %r, %post : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}
