// RUN: llcuda-opt --llm-fuse-qkv %s | FileCheck %s

// What the convolution of a delta rule reads, its decay and its beta are one launch.
// CHECK-LABEL: func.func @delta_rule
// CHECK-NEXT:    %[[X:.*]], %[[A:.*]], %[[B:.*]] = llm.qkv_linear %arg0, %arg1, %arg2, %arg2
// CHECK-NEXT:    %[[C:.*]] = llm.short_conv silu %[[X]],
// CHECK-NEXT:    llm.delta_rule %[[C]], %[[A]], %[[B]],
func.func @delta_rule(%x: tensor<?x64xf32>, %w: !llm.weight<128x64, q4_1>, %h: !llm.weight<2x64, q4_1>,
    %taps: tensor<512xf32>, %rate: tensor<2xf32>, %p: tensor<?xi32>, %slots: tensor<?xi32>) -> tensor<?x64xf32> {
  %m = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %c = llm.short_conv silu %m, %taps, %p, %slots layer 0
      : (tensor<?x128xf32>, tensor<512xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x128xf32>
  %a = llm.linear %x, %h : (tensor<?x64xf32>, !llm.weight<2x64, q4_1>) -> tensor<?x2xf32>
  %b = llm.linear %x, %h : (tensor<?x64xf32>, !llm.weight<2x64, q4_1>) -> tensor<?x2xf32>
  %y = llm.delta_rule %c, %a, %b, %rate, %rate, %p, %slots heads 1 of 2 head_size 32 layer 0
      : (tensor<?x128xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<?xi32>, tensor<?xi32>)
        -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
