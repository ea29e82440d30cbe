// RUN: llcuda-opt --llm-fuse-residual-norm=max-columns=32 %s --remarks-filter-missed=.* --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// One block norms a row, so that very wide rows keep their norm apart; the add is taken in all the same.
// CHECK-LABEL: func.func @wide
// CHECK-NEXT:    llm.linear %arg0, %arg1 residual %arg2 :
// CHECK-NEXT:    llm.rms_norm
func.func @wide(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %r: tensor<?x64xf32>, %s: tensor<64xf32>) -> tensor<?x64xf32> {
  %y = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  // expected-remark@+1 {{rows of 64 columns are wider than max-columns 32}}
  %sum = llm.add %r, %y : tensor<?x64xf32>
  %n = llm.rms_norm %sum, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %n : tensor<?x64xf32>
}
