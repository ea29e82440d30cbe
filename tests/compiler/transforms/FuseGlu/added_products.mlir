// RUN: llcuda-opt --llm-fuse-glu %s | FileCheck %s

// Of an adapter that changes gate alone, up adds nothing.
// CHECK-LABEL: func.func @gated
// CHECK-NEXT:    %[[P:.*]] = llm.low_rank %arg0
// CHECK-NEXT:    llm.glu_linear silu %arg0, %arg1, %arg1 gate_added %[[P]] :
func.func @gated(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q4_1>, %a: !llm.weight<32x64, f16>, %b: !llm.weight<128x32, f16>) -> tensor<?x128xf32> {
  %p = llm.low_rank %x, %a, %b : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<128x32, f16>) -> tensor<?x128xf32>
  %g = llm.linear %x, %w added %p : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>, tensor<?x128xf32>) -> tensor<?x128xf32>
  %u = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %y = llm.glu silu %g, %u : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}
