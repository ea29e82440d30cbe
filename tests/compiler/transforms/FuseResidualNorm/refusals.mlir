// RUN: llcuda-opt --llm-fuse-residual-norm %s --split-input-file --remarks-filter-missed=.* --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// Neither operand is a linear's.
// CHECK-LABEL: func.func @no_linear
// CHECK-NEXT:    llm.add
func.func @no_linear(%y: tensor<?x64xf32>, %r: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // expected-remark@+1 {{neither operand comes from a linear that only the add reads}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  return %sum : tensor<?x64xf32>
}

// -----

// The linear's result is wanted elsewhere too.
// CHECK-LABEL: func.func @other_reader
// CHECK:         llm.add
func.func @other_reader(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  // expected-remark@+1 {{neither operand comes from a linear that only the add reads}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n, %y : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// The linear adds something already.
// CHECK-LABEL: func.func @has_residual
// CHECK:         llm.add
func.func @has_residual(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %y = llm.linear %x, %w residual %x : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  // expected-remark@+1 {{the linear adds another residual already}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}

// -----

// No norm follows: the linear adds the stream itself.
// CHECK-LABEL: func.func @no_norm
// CHECK-NEXT:    llm.linear %arg0, %arg1 residual %arg2 :
// CHECK-NEXT:    return
func.func @no_norm(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  // expected-remark@+1 {{no norm reads the sum}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  return %sum : tensor<?x64xf32>
}

// -----

// Two norms read the sum, and one launch makes only one.
// CHECK-LABEL: func.func @two_norms
// CHECK-NEXT:    llm.linear %arg0, %arg1 residual %arg2 :
// CHECK-COUNT-2: llm.rms_norm
func.func @two_norms(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  // expected-remark@+1 {{two norms read the sum}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %m = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n, %m : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// A post-norm whose sum no norm reads: no op does this.
// CHECK-LABEL: func.func @post_norm_alone
// CHECK:         llm.rms_norm
// CHECK-NEXT:    llm.add
func.func @post_norm_alone(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %l = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %y = llm.rms_norm %l, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  // expected-remark@+1 {{no norm reads the sum}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  return %sum : tensor<?x64xf32>
}

// -----

// The norms before and after the add differ in epsilon.
// CHECK-LABEL: func.func @two_epsilons
// CHECK:         llm.rms_norm
// CHECK-NEXT:    llm.add
// CHECK-NEXT:    llm.rms_norm
func.func @two_epsilons(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %l = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %y = llm.rms_norm %l, %s eps 1.0e-6 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  // expected-remark@+1 {{the norms before and after the add have different epsilons}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}

// -----

// The scale is not there yet when the sum is made.
// CHECK-LABEL: func.func @late_scale
// CHECK-NEXT:    llm.linear %arg0, %arg1 residual %arg2 :
// CHECK:         llm.rms_norm
func.func @late_scale(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  // expected-remark@+1 {{the scale of the norm is computed after the sum}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %s = call @scale() : () -> tensor<64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}
func.func private @scale() -> tensor<64xf32>

// -----

// Rows of 48 columns cannot be int8 rows, so no kernel norms them at the end of a linear.
// CHECK-LABEL: func.func @odd_columns
// CHECK-NEXT:    llm.linear %arg0, %arg1 residual %arg2 :
// CHECK-NEXT:    llm.rms_norm
func.func @odd_columns(%x: tensor<?x64xf32>, %w: !llm.weight<48x64, q4_1>, %r: tensor<?x48xf32>, %s: tensor<48xf32>) -> tensor<?x48xf32> {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<48x64, q4_1>) -> tensor<?x48xf32>
  // expected-remark@+1 {{rows of 48 columns are no multiple of 32}}
  %sum = llm.add %r, %y : tensor<?x48xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x48xf32>, tensor<48xf32>) -> tensor<?x48xf32>
  return %n : tensor<?x48xf32>
}
