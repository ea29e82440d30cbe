// RUN: llcuda-opt --plan-memory %s --split-input-file | FileCheck %s

// A chain a -> b -> c -> out: c is written while only b is read, so that it may lie where a was. Offsets are multiples
// of 256, and the arena holds the two that live together.
// CHECK:      plan.engine {{.*}} arena_bytes 768 {
// CHECK-NEXT:   plan.buffer @a arena 300 offset 0
// CHECK-NEXT:   plan.buffer @b arena 100 offset 512
// CHECK-NEXT:   plan.buffer @c arena 300 offset 0
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 300
  plan.buffer @b arena 100
  plan.buffer @c arena 300
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
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@b, @c) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@c, @out) work <rows = 1>
  }
}

// -----

// The tail may be run again: what it reads of the trunk, @a, stays to its end, beside what the tail makes.
// CHECK:      plan.engine {{.*}} arena_bytes 768 {
// CHECK-NEXT:   plan.buffer @a arena 200 offset 0
// CHECK-NEXT:   plan.buffer @b arena 200 offset 256
// CHECK-NEXT:   plan.buffer @c arena 200 offset 512
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @a arena 200
  plan.buffer @b arena 200
  plan.buffer @c arena 200
  plan.buffer @out io 4 role sampled
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.phase rows 4 row_block 4 outputs 1 scores 1 {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@a) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] tail score args(@a, @b) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] tail score args(@b, @c) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] tail score args(@c, @out) work <rows = 1>
  }
}

// -----

// Two phases never run at once: their buffers share. @s is used by both, so that it is apart from each.
// CHECK:      plan.engine {{.*}} arena_bytes 1280 {
// CHECK-NEXT:   plan.buffer @s arena 256 offset 1024
// CHECK-NEXT:   plan.buffer @d arena 512 offset 0
// CHECK-NEXT:   plan.buffer @p arena 1024 offset 0
// CHECK-NEXT:   plan.buffer @e arena 256 offset 512
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @s arena 256
  plan.buffer @d arena 512
  plan.buffer @p arena 1024
  plan.buffer @e arena 256
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@s) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@s, @d) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@s, @e) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@d, @e) work <rows = 1>
  }
  plan.phase rows 4 row_block 4 outputs 1 {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@s) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@s, @p) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@p, @s) work <rows = 1>
  }
}

// -----

// The gap that a small buffer leaves is filled before the arena grows: @gap lies below @late, which lives to the end.
// CHECK:      plan.engine {{.*}} arena_bytes 1536 {
// CHECK-NEXT:   plan.buffer @first arena 1024 offset 0
// CHECK-NEXT:   plan.buffer @late arena 512 offset 1024
// CHECK-NEXT:   plan.buffer @gap arena 512 offset 0
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @first arena 1024
  plan.buffer @late arena 512
  plan.buffer @gap arena 512
  plan.kernel @copy__f32__c32__t32 op "copy" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "copy(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.kernel @fill__f32__c32__t32 op "fill" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "fill(y)"
      params [#plan.param<"y", "float*", write>]
  plan.kernel @grow__f32__c32__t32 op "grow" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "grow(y)"
      params [#plan.param<"y", "float*", read_write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @fill__f32__c32__t32 grid [1, 1, 1] args(@first) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@first, @late) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@late, @gap) work <rows = 1>
    plan.launch @copy__f32__c32__t32 grid [1, 1, 1] args(@gap, @late) work <rows = 1>
  }
}
