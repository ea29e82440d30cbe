// RUN: llcuda-opt --llm-quantize-activations %s --split-input-file --remarks-filter-missed=.* --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// A residual stream is read as f32 rows too: the linears share one quantize of its own.
// CHECK-LABEL: func.func @stream
// CHECK-NEXT:    %[[N:.*]] = llm.rms_norm {{.*}} -> tensor<?x64xf32>
// CHECK-NEXT:    %[[Q:.*]] = llm.quantize %[[N]] {llm.layer = 2 : i64} :
// CHECK-NEXT:    llm.linear %[[Q]], %arg2 residual %[[N]]
// CHECK-NEXT:    llm.linear %[[Q]], %arg2 {llm.layer = 2 : i64} :
func.func @stream(%x: tensor<?x64xf32>, %s: tensor<64xf32>, %w: !llm.weight<64x64, q4_1>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // expected-remark@+1 {{a quantize of its own: something reads the value as f32 rows}}
  %n = llm.rms_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %0 = llm.linear %n, %w residual %n {llm.layer = 2} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %1 = llm.linear %n, %w {llm.layer = 2} : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  return %0, %1 : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// A linear has no int8 rows to give.
// CHECK-LABEL: func.func @producer
// CHECK:         %[[Q:.*]] = llm.quantize
// CHECK-NEXT:    llm.linear %[[Q]]
func.func @producer(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %f: !llm.weight<64x64, f16>) -> tensor<?x64xf32> {
  // expected-remark@+1 {{a quantize of its own: what makes the value cannot yield int8 rows}}
  %0 = llm.linear %x, %f : (tensor<?x64xf32>, !llm.weight<64x64, f16>) -> tensor<?x64xf32>
  %1 = llm.linear %0, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// -----

// Nor has an argument.
// CHECK-LABEL: func.func @argument
// CHECK-NEXT:    llm.quantize %arg0
// expected-remark@+1 {{a quantize of its own: what makes the value cannot yield int8 rows}}
func.func @argument(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>) -> tensor<?x64xf32> {
  %0 = llm.linear %x, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// Only some of the weights take int8 rows: the op reads both, and another reader shares the int8 rows.
// CHECK-LABEL: func.func @mixed
// CHECK-NEXT:    %[[N:.*]] = llm.rms_norm {{.*}} -> tensor<?x64xf32>
// CHECK-NEXT:    %[[Q:.*]] = llm.quantize %[[N]]
// CHECK-NEXT:    llm.glu_linear silu %[[N]], %arg2, %arg3 int8 %[[Q]] :
// CHECK-NEXT:    llm.qkv_linear %[[N]], %arg2, %arg3, %arg3 int8 %[[Q]] :
// CHECK-NEXT:    llm.linear %[[Q]], %arg2 :
func.func @mixed(%x: tensor<?x64xf32>, %s: tensor<64xf32>, %w: !llm.weight<64x64, q4_1>, %f: !llm.weight<64x64, f16>) -> tensor<?x64xf32> {
  // expected-remark@+1 {{a quantize of its own: something reads the value as f32 rows}}
  %n = llm.rms_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %0 = llm.glu_linear silu %n, %w, %f : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<64x64, f16>) -> tensor<?x64xf32>
  %1:3 = llm.qkv_linear %n, %w, %f, %f
      : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<64x64, f16>, !llm.weight<64x64, f16>)
      -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>)
  %2 = llm.linear %n, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  return %2 : tensor<?x64xf32>
}
