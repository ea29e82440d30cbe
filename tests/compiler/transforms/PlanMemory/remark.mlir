// RUN: llcuda-opt --plan-memory %s --remarks-filter-analyse=.* --remark-format=emitRemark --verify-diagnostics -o /dev/null

// Three buffers of one size in a chain: two live at a time, and the arena is no larger.
// expected-remark@+1 {{an arena of 512 bytes; at most 512 live at one launch}}
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 256
  plan.buffer @b arena 256
  plan.buffer @c arena 256
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@a, @b) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@b, @c) work <rows = 1>
  }
}
