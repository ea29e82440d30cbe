// RUN: llcuda-opt %s --canonicalize --cse --split-input-file | FileCheck %s

// A factor of one is nothing.
// CHECK-LABEL: func.func @scale_by_one
// CHECK-NEXT:    return %arg0
func.func @scale_by_one(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %0 = llm.scale %x by 1.0 : tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// The scale of an embedding becomes part of it.
// CHECK-LABEL: func.func @scaled_embedding
// CHECK-NEXT:    llm.embedding %arg0, %arg1 scale 8.000000e+00
// CHECK-NEXT:    return
func.func @scaled_embedding(%t: tensor<?xi32>, %w: !llm.weight<512x64, q8_0>) -> tensor<?x64xf32> {
  %0 = llm.embedding %t, %w : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  %1 = llm.scale %0 by 8.0 : tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// -----

// An embedding that something reads unscaled stays as it is.
// CHECK-LABEL: func.func @embedding_of_two_readers
// CHECK:         llm.scale
func.func @embedding_of_two_readers(%t: tensor<?xi32>, %w: !llm.weight<512x64, q8_0>) -> tensor<?x64xf32> {
  %0 = llm.embedding %t, %w : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  %1 = llm.scale %0 by 8.0 : tensor<?x64xf32>
  %2 = llm.add %0, %1 : tensor<?x64xf32>
  return %2 : tensor<?x64xf32>
}

// -----

// A cap on logits becomes part of the head; a second cap stays apart.
// CHECK-LABEL: func.func @capped_head
// CHECK-NEXT:    llm.head %arg0, %arg1, %arg2 softcap 3.000000e+01
// CHECK-NEXT:    llm.softcap %{{.*}} cap 2.000000e+01
func.func @capped_head(%x: tensor<?x64xf32>, %w: !llm.weight<512x64, q8_0>, %r: tensor<?xi32>) -> tensor<?x512xf32> {
  %0 = llm.head %x, %w, %r : (tensor<?x64xf32>, !llm.weight<512x64, q8_0>, tensor<?xi32>) -> tensor<?x512xf32>
  %1 = llm.softcap %0 cap 30.0 : tensor<?x512xf32>
  %2 = llm.softcap %1 cap 20.0 : tensor<?x512xf32>
  return %2 : tensor<?x512xf32>
}

// -----

// One tensor of the checkpoint is one value, a cache write that nothing reads is still done.
// CHECK-LABEL: func.func @tied
// CHECK:         llm.parameter "token_embd.weight"
// CHECK-NOT:     llm.parameter
// CHECK:         llm.cache_write
func.func @tied(%t: tensor<?xi32>, %x: tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x512xf32>) {
  %w0 = llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0>
  %w1 = llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0>
  %0 = llm.embedding %t, %w0 : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  %1 = llm.head %0, %w1, %t : (tensor<?x64xf32>, !llm.weight<512x64, q8_0>, tensor<?xi32>) -> tensor<?x512xf32>
  %c = llm.cache_write %x, %x, %t, %t
      : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 4x16, f16, f16>
  return %0, %1 : tensor<?x64xf32>, tensor<?x512xf32>
}
