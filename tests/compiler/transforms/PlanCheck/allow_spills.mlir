// RUN: llcuda-opt --plan-check=allow-spills=true %s | FileCheck %s

// Spills pass when they are allowed.
// CHECK: spill 8
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>] registers 32 static_shared 0 spill 8
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}
