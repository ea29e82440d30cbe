// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// Tensor C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs the name of a tensor}}
  plan.buffer @x weight 4 source #plan.tensor<name = "", rows = 1, cols = 1, encoding = f32, layout = f32_rows>
}

// -----

// Names of no encoding and no layout are no parameters.
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+2 {{'f33' is not an encoding}}
  // expected-error@+1 {{failed to parse Plan_TensorAttr parameter 'encoding'}}
  plan.buffer @x weight 4 source #plan.tensor<name = "a", rows = 1, cols = 1, encoding = f33, layout = f32_rows>
}

// -----

plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+2 {{'f32_columns' is not a layout of weights}}
  // expected-error@+1 {{failed to parse Plan_TensorAttr parameter 'layout'}}
  plan.buffer @x weight 4 source #plan.tensor<name = "a", rows = 1, cols = 1, encoding = f32, layout = f32_columns>
}

// -----

// Tensor C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{rows and cols must be positive, first_row and pair_rows not negative}}
  plan.buffer @x weight 4 source #plan.tensor<name = "a", rows = 0, cols = 1, encoding = f32, layout = f32_rows>
}

// -----

// Tensor C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{rows and cols must be positive, first_row and pair_rows not negative}}
  plan.buffer @x weight 4 source #plan.tensor<name = "a", rows = 1, cols = 1, encoding = f32, layout = f32_rows, first_row = -1>
}

// -----

// Tensor C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{group_rows must be 0 or at least pair_rows}}
  plan.buffer @x weight 4 source #plan.tensor<name = "a", rows = 1, cols = 1, encoding = f32, layout = f32_rows, pair_rows = 4, group_rows = 2>
}

// -----

// RopeTable C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs at least one position and one frequency}}
  plan.buffer @x constant 4 source #plan.rope_table<positions = 0, frequencies = [1.0], magnitude = 1.0>
}

// -----

// RopeTable C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{needs at least one position and one frequency}}
  plan.buffer @x constant 4 source #plan.rope_table<positions = 1, frequencies = [], magnitude = 1.0>
}

// -----

// RopeTable C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{frequencies must be f64}}
  plan.buffer @x constant 4 source #plan.rope_table<positions = 1, frequencies = [1.0 : f32], magnitude = 1.0>
}

// -----

// RopeTable C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  // expected-error@+1 {{growth and its period must be there together}}
  plan.buffer @x constant 8 source #plan.rope_table<positions = 1, frequencies = [1.0], magnitude = 1.0, growth = 0.5>
}

// -----

// Work C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)"
      params [#plan.param<"x", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{rows must be positive, nothing negative}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x) work <rows = 0>
  }
}

// -----

// Work C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)"
      params [#plan.param<"x", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{rows must be positive, nothing negative}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x) work <rows = 1, key_bytes = -1>
  }
}

// -----

// Work C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)"
      params [#plan.param<"x", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{has 3 choices of 2 experts, 0 bytes of each and tiles of 0 rows}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x) work <rows = 1, experts = 2, choices = 3>
  }
}

// -----

// Work C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x)"
      params [#plan.param<"x", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{has 0 choices of 0 experts, 9 bytes of each and tiles of 0 rows}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x) work <rows = 1, expert_bytes = 9>
  }
}
