// RUN: llcuda-opt --plan-check %s --split-input-file --verify-diagnostics

// C1 (and so C3)
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  // expected-error@+2 {{needs 2048 threads for 1 blocks, a multiprocessor has 1024}}
  // expected-error@+1 {{@a__f32__c32__t32 has 2048 threads, a block has at most 1024}}
  plan.kernel @a__f32__c32__t32 op "a" threads 2048 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}

// -----

// C2 (and so C3)
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  // expected-error@+2 {{needs 65540 bytes of shared memory for 1 blocks, a multiprocessor has 65536}}
  // expected-error@+1 {{needs 65540 bytes of shared memory, a block has at most 65536}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 65536 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>] registers 8 static_shared 4 spill 0
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  // expected-error@+1 {{needs 49156 bytes of static shared memory, a block has at most 49152}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>] registers 8 static_shared 49156 spill 0
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  // expected-error@+1 {{needs 1536 threads for 3 blocks, a multiprocessor has 1024}}
  plan.kernel @a__f32__c32__t32 op "a" threads 512 min_blocks 3 dynamic_shared 0 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  // expected-error@+1 {{needs 98304 bytes of shared memory for 3 blocks, a multiprocessor has 65536}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 3 dynamic_shared 32768 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}

// -----

// C3: registers are given out eight at a time, so that 65 are 72.
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  // expected-error@+1 {{needs 73728 registers for 2 blocks, a multiprocessor has 65536}}
  plan.kernel @a__f32__c32__t32 op "a" threads 512 min_blocks 2 dynamic_shared 0 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>] registers 65 static_shared 0 spill 0
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  // expected-error@+1 {{has 256 registers, a thread has at most 255}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>] registers 256 static_shared 0 spill 0
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  // expected-error@+1 {{@a__f32__c32__t32 spills 8 bytes of registers}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(y)" params [#plan.param<"y", "float*", write>] registers 32 static_shared 0 spill 8
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@out) work <rows = 1>
  }
}

// -----

// C5
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @out io 4 role sampled
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{size 1 of the grid is 65536, at most 65535}}
    plan.launch @fill__f32__c32__t32 grid [1, 65536, 1] args(@out) work <rows = 1>
  }
}

// -----

// C6
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 512 {
  plan.buffer @a arena 128 offset 0
  // expected-error@+1 {{@b has no place in the arena}}
  plan.buffer @b arena 128
  plan.buffer @out io 4 role sampled
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@a, @b) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@b, @out) work <rows = 1>
  }
}

// -----

// C6
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 512 {
  plan.buffer @a arena 128 offset 0
  // expected-error@+1 {{@b ends at 556, the arena has 512 bytes}}
  plan.buffer @b arena 300 offset 256
  plan.buffer @out io 4 role sampled
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@a, @b) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@b, @out) work <rows = 1>
  }
}

// -----

// C7
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 512 {
  plan.buffer @a arena 300 offset 0
  // expected-error@+1 {{@b overlaps @a, which lives at the same time}}
  plan.buffer @b arena 128 offset 256
  plan.buffer @out io 4 role sampled
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@a, @b) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@b, @out) work <rows = 1>
  }
}

// -----

// C8
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 128 {
  plan.buffer @a arena 128 offset 0
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  // expected-error@+1 {{no launch of the phase writes the sampled tokens}}
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
  }
}
