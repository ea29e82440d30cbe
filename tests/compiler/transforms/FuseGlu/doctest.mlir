// RUN: llcuda-opt --llm-fuse-glu %s | FileCheck %s

// Gate, up and the activation are one op, whatever their encodings; the two linears are gone, the kind of activation and the layer stay.
// CHECK-LABEL: func.func @gated
// CHECK-NEXT:    %[[Y:.*]] = llm.glu_linear gelu_tanh %arg0, %arg1, %arg2 {llm.layer = 1 : i64} :
// CHECK-NEXT:    return %[[Y]]
func.func @gated(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_1>, %wu: !llm.weight<128x64, f16>) -> tensor<?x128xf32> {
  %g = llm.linear %x, %wg : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %u = llm.linear %x, %wu : (tensor<?x64xf32>, !llm.weight<128x64, f16>) -> tensor<?x128xf32>
  %y = llm.glu gelu_tanh %g, %u {llm.layer = 1} : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}
