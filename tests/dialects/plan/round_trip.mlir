// RUN: llcuda-opt %s | FileCheck %s
// RUN: llcuda-opt %s | llcuda-opt | FileCheck %s

// Every op, with every optional part once.
// CHECK: plan.engine max_context 2048 max_batch 1 page_tokens 64 arena_bytes 2304 {
plan.engine max_context 2048 max_batch 1 page_tokens 64 arena_bytes 2304 {
  // CHECK: plan.buffer @sampled io 4 role sampled
  plan.buffer @sampled io 4 role sampled
  // CHECK: plan.buffer @x arena 2304 offset 0
  plan.buffer @x arena 2304 offset 0
  // CHECK: plan.buffer @kv.0.k kv 4096 part keys type "q8_0"
  plan.buffer @kv.0.k kv 4096 part keys type "q8_0"
  // CHECK: plan.buffer @kv.0.v kv 4096 part values type "f16" window 512
  plan.buffer @kv.0.v kv 4096 part values type "f16" window 512
  // CHECK: plan.buffer @arrivals counter 4
  plan.buffer @arrivals counter 4
  // CHECK: plan.buffer @table constant 1024 source #plan.rope_table<positions = 64, frequencies = [1.000000e+00, 1.000000e-01], magnitude = 1.000000e+00 : f64>
  plan.buffer @table constant 1024 source #plan.rope_table<positions = 64, frequencies = [1.0, 0.1], magnitude = 1.0>
  // CHECK: plan.buffer @scale constant 2304 offset 1024 source #plan.tensor<name = "n", rows = 1, cols = 576, encoding = f32, layout = f32_rows, plus = 1.000000e+00 : f32>
  plan.buffer @scale constant 2304 offset 1024
      source #plan.tensor<name = "n", rows = 1, cols = 576, encoding = f32, layout = f32_rows, plus = 1.0 : f32>
  // CHECK: plan.buffer @w weight 23040 source #plan.tensor<name = "q", rows = 64, cols = 576, encoding = q4_1, layout = q4_1_planes, first_row = 3, pair_rows = 32, group_rows = 64>
  plan.buffer @w weight 23040
      source #plan.tensor<name = "q", rows = 64, cols = 576, encoding = q4_1, layout = q4_1_planes, first_row = 3, pair_rows = 32, group_rows = 64>
  // CHECK: plan.kernel @rms_norm__f32__c576__t128 op "rms_norm" threads 128 min_blocks 1 dynamic_shared 0 header "a.cuh" call "rmsNorm<576>(x, y)" params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>] registers 32 static_shared 64 spill 0
  plan.kernel @rms_norm__f32__c576__t128 op "rms_norm" threads 128 min_blocks 1 dynamic_shared 0 header "a.cuh" call "rmsNorm<576>(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>] registers 32 static_shared 64 spill 0
  // CHECK: plan.phase rows 1 row_block 1 outputs 1 feeds_back {
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // CHECK: plan.launch @rms_norm__f32__c576__t128 grid [4, 2, 1] layer 0 args(@scale, @x + 128) work <rows = 4, window = 8, fixed_bytes = 1, row_read = 2, row_written = 3, key_bytes = 4, row_multiply_adds = 5, key_multiply_adds = 6, expert_bytes = 7, experts = 4, choices = 2, tile_rows = 16, unit = tensor_f16> tap @x
    plan.launch @rms_norm__f32__c576__t128 grid [4, 2, 1] layer 0 args(@scale, @x + 128)
        work <rows = 4, window = 8, fixed_bytes = 1, row_read = 2, row_written = 3, key_bytes = 4, row_multiply_adds = 5,
              key_multiply_adds = 6, expert_bytes = 7, experts = 4, choices = 2, tile_rows = 16, unit = tensor_f16> tap @x
    // CHECK: plan.launch @rms_norm__f32__c576__t128 grid [1, 1, 1] args(@x, @sampled) work <rows = 1>
    plan.launch @rms_norm__f32__c576__t128 grid [1, 1, 1] args(@x, @sampled) work <rows = 1>
  }
  // CHECK: plan.phase rows 64 row_block 64 outputs 1 {
  plan.phase rows 64 row_block 64 outputs 1 {
    plan.launch @rms_norm__f32__c576__t128 grid [1, 1, 1] args(@x, @sampled) work <rows = 1>
  }
  // CHECK: plan.phase rows 32 row_block 32 outputs 1 scores 8 {
  plan.phase rows 32 row_block 32 outputs 1 scores 8 {
    // CHECK: tail report
    plan.launch @rms_norm__f32__c576__t128 grid [1, 1, 1] tail report args(@x, @sampled) work <rows = 1>
    // CHECK: tail score
    plan.launch @rms_norm__f32__c576__t128 grid [1, 1, 1] tail score args(@x, @sampled) work <rows = 1>
    // CHECK: tail pool
    plan.launch @rms_norm__f32__c576__t128 grid [1, 1, 1] tail pool args(@x, @sampled) work <rows = 1>
  }
}
