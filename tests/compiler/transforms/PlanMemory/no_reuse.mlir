// RUN: llcuda-opt --plan-memory=reuse=false %s | FileCheck %s

// Without reuse nothing shares, however short it lives.
// CHECK:      plan.engine {{.*}} arena_bytes 1280 {
// CHECK-NEXT:   plan.buffer @a arena 300 offset 0
// CHECK-NEXT:   plan.buffer @b arena 100 offset 1024
// CHECK-NEXT:   plan.buffer @c arena 300 offset 512
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 300
  plan.buffer @b arena 100
  plan.buffer @c arena 300
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@a, @b) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@b, @c) work <rows = 1>
  }
}
