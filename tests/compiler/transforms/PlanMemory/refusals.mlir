// RUN: llcuda-opt --plan-memory %s --split-input-file --verify-diagnostics

// A chain that starts with a read.
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 128
  plan.buffer @b arena 128
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{reads @a before anything in the phase writes it}}
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@a, @b) work <rows = 1>
  }
}

// -----

// What another phase wrote is gone.
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 128
  plan.buffer @b arena 128
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
  }
  plan.phase rows 4 row_block 4 outputs 1 {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@b) work <rows = 1>
    // expected-error@+1 {{reads @a before anything in the phase writes it}}
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@a, @b) work <rows = 1>
  }
}

// -----

// Changing in place reads too.
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 128
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{reads @a before anything in the phase writes it}}
    plan.launch @grow__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
  }
}

// -----

// Reading what the same launch writes.
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 128
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{reads @a before anything in the phase writes it}}
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@a, @a + 64) work <rows = 1>
  }
}

// -----

plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 128
  // expected-error@+1 {{no launch uses the buffer @b}}
  plan.buffer @b arena 128
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
  }
}
