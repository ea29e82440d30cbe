// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{bytes must be positive, not 0}}
  plan.buffer @x arena 0
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{of kind io needs a role}}
  plan.buffer @x io 4
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{of kind arena has a role}}
  plan.buffer @x arena 4 role tokens
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{of kind weight needs a source}}
  plan.buffer @x weight 4
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{of kind constant needs a source}}
  plan.buffer @x constant 4
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{of kind arena has a source}}
  plan.buffer @x arena 8 source #plan.rope_table<positions = 1, frequencies = [1.0], magnitude = 1.0>
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{of kind kv has an offset}}
  plan.buffer @x kv 8 offset 0 part keys type "f16"
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{offset must be a multiple of 256, not 128}}
  plan.buffer @x arena 8 offset 128
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{offset must be a multiple of 256, not -256}}
  plan.buffer @x arena 8 offset -256
}

// -----

// C5
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{window belongs to kv buffers and block tables, and is positive}}
  plan.buffer @x arena 8 window 8
}

// -----

// C5
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{window belongs to kv buffers and block tables, and is positive}}
  plan.buffer @x kv 8 part keys type "f16" window 0
}

// -----

// C6
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{part and type belong to kv buffers, which need both}}
  plan.buffer @x kv 8 part values
}

// -----

// C6
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{part and type belong to kv buffers, which need both}}
  plan.buffer @x kv 8 type "f16"
}

// -----

// C6
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{part and type belong to kv buffers, which need both}}
  plan.buffer @x arena 8 part keys type "f16"
}

// -----

// C6
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{type 'f17' is not an encoding}}
  plan.buffer @x kv 8 part values type "f17"
}
