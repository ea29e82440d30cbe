// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// C1
// expected-error@+1 {{max_context, max_batch and page_tokens must be positive}}
plan.engine max_context 0 max_batch 1 page_tokens 64 arena_bytes 0 {
}

// -----

// C1
// expected-error@+1 {{arena_bytes must not be negative}}
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes -1 {
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{is no kernel, buffer, phase or edits}}
  func.func private @f()
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 4 row_block 4 outputs 1 {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x, @x) work <rows = 1>
  }
  plan.phase rows 4 row_block 1 outputs 4 feeds_back {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x, @x) work <rows = 1>
  }
  // expected-error@+1 {{is a second phase of 4 rows that does not feed back}}
  plan.phase rows 4 row_block 4 outputs 1 {
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x, @x) work <rows = 1>
  }
}
