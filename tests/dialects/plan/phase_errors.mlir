// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs 1 to rows outputs, not 5 of 4 rows}}
  plan.phase prompt rows 4 outputs 5 {
  }
}

// -----

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{of kind decode needs an output for each row, not 1 of 4}}
  plan.phase decode rows 4 outputs 1 {
  }
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs at least one launch}}
  plan.phase decode rows 1 outputs 1 {
  }
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.phase decode rows 1 outputs 1 {
    // expected-error@+1 {{is no launch}}
    func.func private @f()
  }
}
