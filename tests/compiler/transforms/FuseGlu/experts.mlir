// RUN: llcuda-opt --llm-fuse-glu %s --split-input-file --remarks-filter-missed=.* --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// The experts' gate, up and the activation are one op, with their biases.
// CHECK-LABEL: func.func @gated
// CHECK-NEXT:    %[[Y:.*]] = llm.expert_glu_linear swiglu_oai %arg0, %arg1, %arg2, %arg3 bias %arg4, %arg4 of 4 {llm.layer = 1 : i64} :
// CHECK-NEXT:    return %[[Y]]
func.func @gated(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %wg: !llm.weight<128x64, q4_1>, %wu: !llm.weight<128x64, f16>,
                 %b: tensor<128xf32>) -> tensor<?x32xf32> {
  %g = llm.expert_linear %x, %e, %wg bias %b of 4
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, q4_1>, tensor<128xf32>) -> tensor<?x32xf32>
  %u = llm.expert_linear %x, %e, %wu bias %b of 4
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>, tensor<128xf32>) -> tensor<?x32xf32>
  %y = llm.glu swiglu_oai %g, %u {llm.layer = 1} : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// CHECK-LABEL: func.func @two_values
// CHECK:         llm.glu silu
func.func @two_values(%x: tensor<?x64xf32>, %z: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<128x64, f16>) -> tensor<?x32xf32> {
  %g = llm.expert_linear %x, %e, %w of 4 : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>) -> tensor<?x32xf32>
  %u = llm.expert_linear %z, %e, %w of 4 : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>) -> tensor<?x32xf32>
  // expected-remark@+1 {{the linears of gate and up read different values}}
  %y = llm.glu silu %g, %u : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// CHECK-LABEL: func.func @each
// CHECK:         llm.glu silu
func.func @each(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<128x64, f16>) -> tensor<?x32xf32> {
  %g = llm.expert_linear each %x, %e, %w of 4 : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>) -> tensor<?x32xf32>
  %u = llm.expert_linear each %x, %e, %w of 4 : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>) -> tensor<?x32xf32>
  // expected-remark@+1 {{the linears of gate and up read a row for each choice}}
  %y = llm.glu silu %g, %u : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// CHECK-LABEL: func.func @two_routers
// CHECK:         llm.glu silu
func.func @two_routers(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %f: tensor<?x2xi32>, %w: !llm.weight<128x64, f16>) -> tensor<?x32xf32> {
  %g = llm.expert_linear %x, %e, %w of 4 : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>) -> tensor<?x32xf32>
  %u = llm.expert_linear %x, %f, %w of 4 : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>) -> tensor<?x32xf32>
  // expected-remark@+1 {{the linears of gate and up have experts of different choices}}
  %y = llm.glu silu %g, %u : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// CHECK-LABEL: func.func @one_bias
// CHECK:         llm.glu silu
func.func @one_bias(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: !llm.weight<128x64, f16>, %b: tensor<128xf32>) -> tensor<?x32xf32> {
  %g = llm.expert_linear %x, %e, %w bias %b of 4
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>, tensor<128xf32>) -> tensor<?x32xf32>
  %u = llm.expert_linear %x, %e, %w of 4 : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<128x64, f16>) -> tensor<?x32xf32>
  // expected-remark@+1 {{one of gate and up has a bias}}
  %y = llm.glu silu %g, %u : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
