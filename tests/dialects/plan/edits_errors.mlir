// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs one launch and nothing else}}
  plan.edits {
  }
}

// -----

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs one launch and nothing else}}
  plan.edits {
    func.func private @f()
  }
}
