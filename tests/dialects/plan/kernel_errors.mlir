// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{name and op must be of a to z, 0 to 9 and _, not 'a'}}
  plan.kernel @a.b op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)" params []
}

// -----

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{name and op must be of a to z, 0 to 9 and _, not 'a b'}}
  plan.kernel @a__f32__c32__t32 op "a b" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)" params []
}

// -----

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{name and op must be of a to z, 0 to 9 and _, not ''}}
  plan.kernel @a__f32__c32__t32 op "" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)" params []
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{threads must be a positive multiple of 32, not 48}}
  plan.kernel @a__f32__c32__t32 op "a" threads 48 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)" params []
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{threads must be a positive multiple of 32, not 0}}
  plan.kernel @a__f32__c32__t32 op "a" threads 0 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)" params []
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{min_blocks must be positive, dynamic_shared not negative}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 0 dynamic_shared 0 header "a.cuh" call "a(x)" params []
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{min_blocks must be positive, dynamic_shared not negative}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared -1 header "a.cuh" call "a(x)" params []
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs a header and a call}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "" call "a()" params []
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs a header and a call}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "" params []
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{has two parameters 'x'}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)"
      params [#plan.param<"x", "float*", write>, #plan.param<"x", "float*", write>]
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{parameter 'x' is no pointer: int}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)" params [#plan.param<"x", "int", read>]
}

// -----

// C5
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs registers, static_shared and spill together or none}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)" params [] {registers = 32 : i64}
}

// -----

// C5
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{registers, static_shared and spill must not be negative}}
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)" params [] registers 32 static_shared 0 spill -4
}
