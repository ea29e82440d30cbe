// RUN: llcuda-opt --llm-quantize-activations %s | FileCheck %s

// A low-rank product does not keep the norm from yielding int8 rows.
// CHECK-LABEL: func.func @norm
// CHECK-NEXT:    %[[N:.*]] = llm.rms_norm {{.*}} -> tensor<?x64x!llm.q8>
// CHECK-NEXT:    llm.low_rank %[[N]], %arg3, %arg4 : (tensor<?x64x!llm.q8>,
// CHECK-NEXT:    llm.linear %[[N]], %arg2 added %{{.*}} : (tensor<?x64x!llm.q8>,
// CHECK-NOT:     llm.quantize
func.func @norm(%x: tensor<?x64xf32>, %s: tensor<64xf32>, %w: !llm.weight<64x64, q4_1>, %a: !llm.weight<32x64, f16>, %b: !llm.weight<64x32, f16>) -> tensor<?x64xf32> {
  %n = llm.rms_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %p = llm.low_rank %n, %a, %b : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<64x32, f16>) -> tensor<?x64xf32>
  %y = llm.linear %n, %w added %p : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
