// RUN: llcuda-opt --llm-quantize-activations %s --split-input-file | FileCheck %s

// Two linears read the norm, and both weights are quantised: the norm itself yields int8 rows, once.
// CHECK-LABEL: func.func @norm
// CHECK-NEXT:    %[[N:.*]] = llm.rms_norm %arg0, %arg1 eps {{.*}} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64x!llm.q8>
// CHECK-NEXT:    llm.linear %[[N]], %arg2 : (tensor<?x64x!llm.q8>,
// CHECK-NEXT:    llm.linear %[[N]], %arg2 : (tensor<?x64x!llm.q8>,
// CHECK-NOT:     llm.quantize
func.func @norm(%x: tensor<?x64xf32>, %s: tensor<64xf32>, %w: !llm.weight<64x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %n = llm.rms_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %0 = llm.linear %n, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %1 = llm.linear %n, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  return %0, %1 : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// So do attention, gated units and the norm at the end of a linear; the sum beside that norm stays f32.
// CHECK-LABEL: func.func @producers
// CHECK:         llm.attention {{.*}} -> tensor<?x64x!llm.q8>
// CHECK:         llm.linear_residual_norm {{.*}} -> (tensor<?x64xf32>, tensor<?x64x!llm.q8>)
// CHECK:         llm.glu_linear silu {{.*}} -> tensor<?x64x!llm.q8>
// CHECK:         llm.linear %{{.*}}, %{{.*}} residual %{{.*}} : (tensor<?x64x!llm.q8>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
// CHECK:         llm.glu silu {{.*}} -> tensor<?x64x!llm.q8>
// CHECK:         llm.head {{.*}} : (tensor<?x64x!llm.q8>
func.func @producers(%q: tensor<?x64xf32>, %c: !llm.cache<layer 0, 4x16, f16, f16>, %p: tensor<?xi32>, %s: tensor<64xf32>, %w: !llm.weight<64x64, q4_1>) -> tensor<?x64xf32> {
  %a = llm.attention %q, %c, %p, %p heads 4 scale 0.25 : (tensor<?x64xf32>, !llm.cache<layer 0, 4x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %sum, %n = llm.linear_residual_norm %a, %w residual %q norm %s eps 1.0e-5 : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>, tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>)
  %g = llm.glu_linear silu %n, %w, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %d = llm.linear %g, %w residual %sum : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %h = llm.glu silu %d, %d : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %l = llm.head %h, %w, %p : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?xi32>) -> tensor<?x64xf32>
  return %l : tensor<?x64xf32>
}

// -----

// Weights that are not quantised read f32 rows.
// CHECK-LABEL: func.func @float_weight
// CHECK-NOT:     llm.q8
func.func @float_weight(%x: tensor<?x64xf32>, %s: tensor<64xf32>, %w: !llm.weight<64x64, f16>) -> tensor<?x64xf32> {
  %n = llm.rms_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %0 = llm.linear %n, %w : (tensor<?x64xf32>, !llm.weight<64x64, f16>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
