// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs 1 to 1 outputs, not 5}}
  plan.phase rows 4 row_block 4 outputs 5 {
  }
}

// -----

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs rows and a row_block in 1 to rows, not 5 of 4}}
  plan.phase rows 4 row_block 5 outputs 1 {
  }
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{feeds back and needs an output for each of its 4 rows, not 1}}
  plan.phase rows 4 row_block 1 outputs 1 feeds_back {
  }
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs at least one launch}}
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
  }
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{is no launch}}
    func.func private @f()
  }
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] tail sample args(@x, @x) work <rows = 1>
    // expected-error@+1 {{stands behind a tail that it is no part of}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] layer 0 args(@x, @x) work <rows = 1>
  }
}

// -----

// C5
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  // expected-error@+1 {{has `scores` where no tail scores, or none where one does}}
  plan.phase rows 4 row_block 4 outputs 1 {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] tail score args(@x, @x) work <rows = 1>
  }
}

// -----

// C5
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  // expected-error@+1 {{scores 1 to 4 rows at a time, not 5}}
  plan.phase rows 4 row_block 4 outputs 1 scores 5 {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] tail score args(@x, @x) work <rows = 1>
  }
}
