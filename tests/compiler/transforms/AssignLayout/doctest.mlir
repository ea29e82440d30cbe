// RUN: llcuda-opt --llm-assign-layout %s | FileCheck %s

// Each weight gets the layout that keeps its values, and its readers see it; vectors have none. A layout that was chosen
// before stays.
// CHECK-LABEL: func.func @weights
// CHECK:         %[[E:.*]] = llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0, q8_0_planes>
// CHECK:         llm.parameter "norm" : tensor<64xf32>
// CHECK:         llm.parameter "q4_0" : !llm.weight<64x64, q4_0, q4_0_planes>
// CHECK:         llm.parameter "q4_1" pair_rows 16 : !llm.weight<64x64, q4_1, q4_1_planes>
// CHECK:         llm.parameter "f16" : !llm.weight<64x64, f16, f16_rows>
// CHECK:         llm.parameter "f32" : !llm.weight<64x64, f32, f32_rows>
// CHECK:         llm.parameter "chosen" : !llm.weight<64x64, q4_1, s8_planes>
// CHECK:         llm.embedding %arg0, %[[E]] : (tensor<?xi32>, !llm.weight<512x64, q8_0, q8_0_planes>)
// CHECK:         llm.head %{{.*}}, %[[E]], %arg0 : (tensor<?x64xf32>, !llm.weight<512x64, q8_0, q8_0_planes>, tensor<?xi32>)
func.func @weights(%t: tensor<?xi32>) -> tensor<?x512xf32> {
  %e = llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0>
  %s = llm.parameter "norm" : tensor<64xf32>
  %a = llm.parameter "q4_0" : !llm.weight<64x64, q4_0>
  %b = llm.parameter "q4_1" pair_rows 16 : !llm.weight<64x64, q4_1>
  %c = llm.parameter "f16" : !llm.weight<64x64, f16>
  %d = llm.parameter "f32" : !llm.weight<64x64, f32>
  %f = llm.parameter "chosen" : !llm.weight<64x64, q4_1, s8_planes>
  %x = llm.embedding %t, %e : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  %l = llm.head %x, %e, %t : (tensor<?x64xf32>, !llm.weight<512x64, q8_0>, tensor<?xi32>) -> tensor<?x512xf32>
  return %l : tensor<?x512xf32>
}
