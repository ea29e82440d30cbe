// RUN: llcuda-opt %s | FileCheck %s
// RUN: llcuda-opt %s | llcuda-opt | FileCheck %s
// RUN: llcuda-opt %s --mlir-print-op-generic | llcuda-opt | FileCheck %s

// Every op in its own form, with every optional part once.
// CHECK-LABEL: func.func @sources(%arg0: tensor<?xi32> {llm.io = "tokens"})
func.func @sources(%tokens: tensor<?xi32> {llm.io = "tokens"}) -> tensor<?x64xf32> {
  // CHECK: llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0>
  %e = llm.parameter "token_embd.weight" : !llm.weight<512x64, q8_0>
  // CHECK: llm.parameter "blk.0.attn_norm.weight" plus 1.000000e+00 : tensor<64xf32>
  %s = llm.parameter "blk.0.attn_norm.weight" plus 1.0 : tensor<64xf32>
  // CHECK: llm.parameter "blk.0.attn_qkv.weight" first_row 64 pair_rows 16 : !llm.weight<32x64, f16, f16_rows>
  %w = llm.parameter "blk.0.attn_qkv.weight" first_row 64 pair_rows 16 : !llm.weight<32x64, f16, f16_rows>
  // CHECK: llm.parameter "blk.0.attn_q.bias" first_row 1 pair_rows 8 of 16 plus 1.000000e+00 encoded "bf16" : tensor<32xf32>
  %b = llm.parameter "blk.0.attn_q.bias" first_row 1 pair_rows 8 of 16 plus 1.0 encoded "bf16" : tensor<32xf32>
  // All digits of a frequency survive.
  // CHECK: llm.rope_table [1.000000e+00, 0.0012345678901200001] magnitude 1.100000e+00 : tensor<128x2x2xf32>
  %t = llm.rope_table [1.0, 0.00123456789012] magnitude 1.1 : tensor<128x2x2xf32>
  // CHECK: llm.rope_table [1.000000e+00] magnitude 1.000000e+00 growth 1.250000e-01 every 1.600000e+01 : tensor<128x1x2xf32>
  %grown = llm.rope_table [1.0] magnitude 1.0 growth 0.125 every 16.0 : tensor<128x1x2xf32>
  // CHECK: llm.embedding %arg0, %{{.*}} scale 8.000000e+00 : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  %x = llm.embedding %tokens, %e scale 8.0 : (tensor<?xi32>, !llm.weight<512x64, q8_0>) -> tensor<?x64xf32>
  return %x : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @norms
func.func @norms(%x: tensor<?x64xf32>, %s: tensor<64xf32>, %h: tensor<16xf32>) -> (tensor<?x64xf32>, tensor<?x64x!llm.q8>) {
  // CHECK: llm.rms_norm %arg0, %arg1 eps {{.*}} {llm.layer = 3 : i64} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64x!llm.q8>
  %n = llm.rms_norm %x, %s eps 1.0e-5 {llm.layer = 3} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64x!llm.q8>
  // CHECK: llm.head_norm %arg0, %arg2 eps {{.*}} : tensor<?x64xf32>, tensor<16xf32>
  %y = llm.head_norm %x, %h eps 1.0e-6 : tensor<?x64xf32>, tensor<16xf32>
  return %y, %n : tensor<?x64xf32>, tensor<?x64x!llm.q8>
}

// CHECK-LABEL: func.func @layer_norms
func.func @layer_norms(%x: tensor<?x64xf32>, %s: tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64x!llm.q8>) {
  // CHECK: llm.layer_norm %arg0, %arg1 shift %arg1 eps {{.*}} : (tensor<?x64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %n = llm.layer_norm %x, %s shift %s eps 1.0e-12 : (tensor<?x64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  // CHECK: llm.layer_norm %arg0, %arg1 eps {{.*}} -> tensor<?x64x!llm.q8>
  %y = llm.layer_norm %x, %s eps 1.0e-5 : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64x!llm.q8>
  return %n, %y : tensor<?x64xf32>, tensor<?x64x!llm.q8>
}

// CHECK-LABEL: func.func @both_ways
func.func @both_ways(%q: tensor<?x64xf32>, %c: !llm.cache<layer 0, 4x16, f16, f16>, %positions: tensor<?xi32>,
                     %slots: tensor<?xi32>) -> tensor<?x64x!llm.q8> {
  // CHECK: llm.attention %arg0, %arg1, %arg2, %arg3 heads 4 scale 2.500000e-01 both_ways window 128 :
  %a = llm.attention %q, %c, %positions, %slots heads 4 scale 0.25 both_ways window 128
      : (tensor<?x64xf32>, !llm.cache<layer 0, 4x16, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  // CHECK: llm.activate gelu_erf %{{.*}} : (tensor<?x64xf32>) -> tensor<?x64x!llm.q8>
  %g = llm.activate gelu_erf %a : (tensor<?x64xf32>) -> tensor<?x64x!llm.q8>
  return %g : tensor<?x64x!llm.q8>
}

// CHECK-LABEL: func.func @linears
func.func @linears(%x: tensor<?x64xf32>, %w: !llm.weight<64x64, q4_1>, %b: tensor<64xf32>) -> tensor<?x64xf32> {
  // CHECK: %[[Q:.*]] = llm.quantize %arg0 : tensor<?x64xf32> -> tensor<?x64x!llm.q8>
  %q = llm.quantize %x : tensor<?x64xf32> -> tensor<?x64x!llm.q8>
  // CHECK: llm.linear %[[Q]], %arg1 : (tensor<?x64x!llm.q8>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  %0 = llm.linear %q, %w : (tensor<?x64x!llm.q8>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  // CHECK: llm.linear %{{.*}}, %arg1 bias %arg2 residual %arg0 :
  %1 = llm.linear %0, %w bias %b residual %x
      : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  // CHECK: llm.low_rank %arg0, %arg1, %arg1 :
  %p = llm.low_rank %x, %w, %w : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<64x64, q4_1>) -> tensor<?x64xf32>
  // CHECK: llm.linear %arg0, %arg1 residual %arg0 added %{{.*}} :
  %r = llm.linear %x, %w residual %x added %p
      : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  // CHECK: llm.linear %{{.*}}, %arg1 residual %arg0 :
  %2 = llm.linear %1, %w residual %x : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %2 : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %t: tensor<128x8x2xf32>, %positions: tensor<?xi32>,
                     %slots: tensor<?xi32>, %sinks: tensor<4xf32>) -> tensor<?x64xf32> {
  // CHECK: llm.rope %arg0, %arg2, %arg3 head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  %0 = llm.rope %q, %t, %positions head_size 16 pairs adjacent : tensor<?x64xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // CHECK: pairs halves
  %1 = llm.rope %k, %t, %positions head_size 16 pairs halves : tensor<?x32xf32>, tensor<128x8x2xf32>, tensor<?xi32>
  // CHECK: %[[C:.*]] = llm.cache_write {{.*}} -> !llm.cache<layer 2, 2x16, q8_0, f16>
  %c = llm.cache_write %1, %k, %positions, %slots
      : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 2, 2x16, q8_0, f16>
  // CHECK: llm.attention %{{.*}}, %[[C]], %arg3, %arg4 heads 4 scale 2.500000e-01 window 512 softcap 5.000000e+01 sinks %arg5 :
  %a = llm.attention %0, %c, %positions, %slots heads 4 scale 0.25 window 512 softcap 50.0 sinks %sinks
      : (tensor<?x64xf32>, !llm.cache<layer 2, 2x16, q8_0, f16>, tensor<?xi32>, tensor<?xi32>, tensor<4xf32>)
      -> tensor<?x64xf32>
  return %a : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: tensor<?x64xf32>) -> tensor<?x64x!llm.q8> {
  // CHECK: llm.add %arg0, %arg0 : tensor<?x64xf32>
  %0 = llm.add %x, %x : tensor<?x64xf32>
  // CHECK: llm.scale %{{.*}} by 2.000000e+00 : tensor<?x64xf32>
  %1 = llm.scale %0 by 2.0 : tensor<?x64xf32>
  // CHECK: llm.softcap %{{.*}} cap 3.000000e+01 : tensor<?x64xf32>
  %2 = llm.softcap %1 cap 30.0 : tensor<?x64xf32>
  // CHECK: llm.glu gelu_tanh %{{.*}}, %arg0 : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64x!llm.q8>
  %3 = llm.glu gelu_tanh %2, %x : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64x!llm.q8>
  return %3 : tensor<?x64x!llm.q8>
}

// CHECK-LABEL: func.func @head
func.func @head(%x: tensor<?x64xf32>, %w: !llm.weight<512x64, q8_0>, %output_rows: tensor<?xi32> {llm.io = "output_rows"},
                %sampling: tensor<?x!llm.sampling> {llm.io = "sampling"}) -> tensor<?xi32> {
  // CHECK: %[[L:.*]] = llm.head %arg0, %arg1, %arg2 softcap 3.000000e+01 :
  %l = llm.head %x, %w, %output_rows softcap 30.0
      : (tensor<?x64xf32>, !llm.weight<512x64, q8_0>, tensor<?xi32>) -> tensor<?x512xf32>
  // CHECK: llm.sample %[[L]], %arg3 : (tensor<?x512xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  %t = llm.sample %l, %sampling : (tensor<?x512xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
  return %t : tensor<?xi32>
}

// CHECK-LABEL: func.func @fused
func.func @fused(%x: tensor<?x64xf32>, %q: !llm.weight<64x64, q4_1>, %k: !llm.weight<32x64, q4_1>, %v: !llm.weight<32x64, q5_0>,
                 %t: tensor<128x8x2xf32>, %positions: tensor<?xi32>, %slots: tensor<?xi32>, %b64: tensor<64xf32>,
                 %b32: tensor<32xf32>, %h: tensor<16xf32>) -> tensor<?x64xf32> {
  // CHECK: llm.qkv_linear %arg0, %arg1, %arg2, %arg3 bias %arg7, %arg8, %arg8 :
  %0:3 = llm.qkv_linear %x, %q, %k, %v bias %b64, %b32, %b32
      : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q5_0>, tensor<64xf32>,
         tensor<32xf32>, tensor<32xf32>) -> (tensor<?x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  // CHECK: llm.qkv_rope_cache %{{.*}}, %arg1, %arg2, %arg3 table %arg4 at %arg5, %arg6 pairs adjacent norm %arg9, %arg9 eps {{.*}} :
  %query, %cache = llm.qkv_rope_cache %0#0, %q, %k, %v table %t at %positions, %slots pairs adjacent norm %h, %h eps 1.0e-6
      : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<32x64, q4_1>, !llm.weight<32x64, q5_0>,
         tensor<128x8x2xf32>, tensor<?xi32>, tensor<?xi32>, tensor<16xf32>, tensor<16xf32>)
      -> (tensor<?x64xf32>, !llm.cache<layer 0, 2x16, f16, f16>)
  // CHECK: %[[XQ:.*]] = llm.quantize
  %xq = llm.quantize %query : tensor<?x64xf32> -> tensor<?x64x!llm.q8>
  // CHECK: llm.glu_linear silu %{{.*}}, %arg1, %arg1 int8 %[[XQ]] :
  %g = llm.glu_linear silu %query, %q, %q int8 %xq
      : (tensor<?x64xf32>, !llm.weight<64x64, q4_1>, !llm.weight<64x64, q4_1>, tensor<?x64x!llm.q8>) -> tensor<?x64x!llm.q8>
  // CHECK: llm.linear_residual_norm %{{.*}}, %arg1 residual %arg0 norm %arg7 eps {{.*}} bias %arg7 post_norm %arg7 :
  %sum, %normed = llm.linear_residual_norm %g, %q residual %x norm %b64 eps 1.0e-5 bias %b64 post_norm %b64
      : (tensor<?x64x!llm.q8>, !llm.weight<64x64, q4_1>, tensor<?x64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
      -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return %normed : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @experts
func.func @experts(%x: tensor<?x64xf32>, %l: tensor<?x8xf32>, %up: !llm.weight<256x64, q4_1>, %down: !llm.weight<512x32, f16>,
                   %b: tensor<512xf32>, %ub: tensor<256xf32>) -> (tensor<?x64xf32>, tensor<?x2xf32>) {
  // CHECK: %[[E:.*]], %[[W:.*]] = llm.route %arg1 normalized : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %e, %w = llm.route %l normalized : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  // CHECK: llm.route %arg1 : tensor<?x8xf32>
  %e1, %w1 = llm.route %l : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  // CHECK: %[[U:.*]] = llm.expert_linear %arg0, %[[E]], %arg2 of 8 :
  %u = llm.expert_linear %x, %e, %up of 8
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, q4_1>) -> tensor<?x32xf32>
  // CHECK: %[[D:.*]] = llm.expert_linear each %[[U]], %[[E]], %arg3 bias %arg4 of 8 :
  %d = llm.expert_linear each %u, %e, %down bias %b of 8
      : (tensor<?x32xf32>, tensor<?x2xi32>, !llm.weight<512x32, f16>, tensor<512xf32>) -> tensor<?x64xf32>
  // CHECK: llm.expert_glu_linear silu %arg0, %[[E]], %arg2, %arg2 of 8 :
  %g = llm.expert_glu_linear silu %x, %e, %up, %up of 8
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, q4_1>, !llm.weight<256x64, q4_1>) -> tensor<?x32xf32>
  // CHECK: llm.expert_glu_linear swiglu_oai %arg0, %[[E]], %arg2, %arg2 bias %arg5, %arg5 of 8 :
  %gb = llm.expert_glu_linear swiglu_oai %x, %e, %up, %up bias %ub, %ub of 8
      : (tensor<?x64xf32>, tensor<?x2xi32>, !llm.weight<256x64, q4_1>, !llm.weight<256x64, q4_1>, tensor<256xf32>, tensor<256xf32>)
      -> tensor<?x32xf32>
  // CHECK: llm.expert_sum %[[D]], %[[W]] : tensor<?x64xf32>, tensor<?x2xf32>
  %y = llm.expert_sum %d, %w : tensor<?x64xf32>, tensor<?x2xf32>
  return %y, %w1 : tensor<?x64xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: func.func @states
func.func @states(%x: tensor<?x192xf32>, %z: tensor<?x256xf32>, %g: tensor<?x4xf32>, %w: tensor<192xf32>, %v: tensor<1024xf32>,
                  %h: tensor<4xf32>, %p: tensor<?xi32>, %s: tensor<?xi32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  // CHECK: %[[C:.*]] = llm.short_conv gated %arg0, %arg3, %arg6, %arg7 layer 0 :
  %c = llm.short_conv gated %x, %w, %p, %s layer 0
      : (tensor<?x192xf32>, tensor<192xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  // CHECK: %[[D:.*]] = llm.short_conv silu %arg1, %arg4, %arg6, %arg7 layer 1 :
  %d = llm.short_conv silu %z, %v, %p, %s layer 1
      : (tensor<?x256xf32>, tensor<1024xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x256xf32>
  // CHECK: %[[Y:.*]] = llm.delta_rule %[[D]], %arg2, %arg2, %arg5, %arg5, %arg6, %arg7 heads 2 of 4 head_size 32 layer 1 grouped log_rate :
  %y = llm.delta_rule %d, %g, %g, %h, %h, %p, %s heads 2 of 4 head_size 32 layer 1 grouped log_rate
      : (tensor<?x256xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x128xf32>
  // CHECK: llm.take_columns %[[Y]] 16 of 32 from 16 : tensor<?x128xf32> -> tensor<?x64xf32>
  %t = llm.take_columns %y 16 of 32 from 16 : tensor<?x128xf32> -> tensor<?x64xf32>
  return %c, %t : tensor<?x64xf32>, tensor<?x64xf32>
}
