// RUN: llcuda-opt --llm-fuse-glu %s --split-input-file --remarks-filter-missed=.* --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// The gate is wanted elsewhere too.
// CHECK-LABEL: func.func @other_reader
// CHECK:         llm.glu silu
func.func @other_reader(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_1>, %wu: !llm.weight<128x64, q4_1>) -> (tensor<?x128xf32>, tensor<?x128xf32>) {
  %g = llm.linear %x, %wg : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %u = llm.linear %x, %wu : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  // expected-remark@+1 {{gate or up does not come from a linear that only it reads}}
  %y = llm.glu silu %g, %u : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  return %y, %g : tensor<?x128xf32>, tensor<?x128xf32>
}

// -----

// Gate and up read different values.
// CHECK-LABEL: func.func @two_values
// CHECK:         llm.glu silu
func.func @two_values(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_1>, %wu: !llm.weight<128x64, q4_1>, %z: tensor<?x64xf32>) -> tensor<?x128xf32> {
  %g = llm.linear %x, %wg : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %u = llm.linear %z, %wu : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  // expected-remark@+1 {{the linears of gate and up read different values}}
  %y = llm.glu silu %g, %u : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// -----

// The fused op has no bias.
// CHECK-LABEL: func.func @bias
// CHECK:         llm.glu silu
func.func @bias(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_1>, %wu: !llm.weight<128x64, q4_1>, %b: tensor<128xf32>) -> tensor<?x128xf32> {
  %g = llm.linear %x, %wg : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  %u = llm.linear %x, %wu bias %b : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>, tensor<128xf32>) -> tensor<?x128xf32>
  // expected-remark@+1 {{a linear of gate or up has a bias}}
  %y = llm.glu silu %g, %u : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// -----

// The fused op adds nothing.
// CHECK-LABEL: func.func @residual
// CHECK:         llm.glu silu
func.func @residual(%x: tensor<?x64xf32>, %wg: !llm.weight<128x64, q4_1>, %wu: !llm.weight<128x64, q4_1>, %r: tensor<?x128xf32>) -> tensor<?x128xf32> {
  %g = llm.linear %x, %wg residual %r : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>, tensor<?x128xf32>) -> tensor<?x128xf32>
  %u = llm.linear %x, %wu : (tensor<?x64xf32>, !llm.weight<128x64, q4_1>) -> tensor<?x128xf32>
  // expected-remark@+1 {{a linear of gate or up adds a residual}}
  %y = llm.glu silu %g, %u : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}
