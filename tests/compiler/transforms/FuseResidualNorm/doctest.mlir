// RUN: llcuda-opt --llm-fuse-residual-norm %s --split-input-file | FileCheck %s

// The linear adds the stream and norms the sum; the sum lives on. A scale that comes later moves before it.
// CHECK-LABEL: func.func @llama
// CHECK-NEXT:    %[[S:.*]] = llm.parameter "ffn_norm"
// CHECK-NEXT:    %[[SUM:.*]], %[[NORMED:.*]] = llm.linear_residual_norm %arg0, %arg1 residual %arg2 norm %[[S]] eps {{.*}} {llm.layer = 4 : i64} :
// CHECK-NEXT:    return %[[SUM]], %[[NORMED]]
func.func @llama(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %y = llm.linear %x, %w {llm.layer = 4} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %s = llm.parameter "ffn_norm" : tensor<64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %sum, %n : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// The norm between the linear and the add (Gemma) is taken in too, and so is the bias.
// CHECK-LABEL: func.func @post_norm
// CHECK-NEXT:    llm.linear_residual_norm %arg0, %arg1 residual %arg2 norm %arg4 eps {{.*}} bias %arg5 post_norm %arg3 :
// CHECK-NEXT:    return
func.func @post_norm(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>, %p: tensor<64xf32>, %s: tensor<64xf32>, %b: tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %y = llm.linear %x, %w bias %b : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<64xf32>) -> tensor<?x64xf32>
  %z = llm.rms_norm %y, %p eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %sum = llm.add %z, %r : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %sum, %n : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// Both operands come from linears that nothing else reads: the later one takes the add in, the other is the stream.
// CHECK-LABEL: func.func @two_linears
// CHECK-NEXT:    %[[A:.*]] = llm.linear %arg0, %arg1 :
// CHECK-NEXT:    llm.linear_residual_norm %arg0, %arg1 residual %[[A]] norm %arg2
func.func @two_linears(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %a = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %b = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %sum = llm.add %b, %a : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}
