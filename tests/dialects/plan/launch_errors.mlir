// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{grid must be three positive sizes}}
    plan.launch @a__f32__c32__t32 grid [1, 0, 1] args(@x, @x) work <rows = 1>
  }
}

// -----

// C1
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{grid must be three positive sizes}}
    plan.launch @a__f32__c32__t32 grid [1, 1] args(@x, @x) work <rows = 1>
  }
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{@b is no kernel of the engine}}
    plan.launch @b grid [1, 1, 1] args(@x, @x) work <rows = 1>
  }
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{@x is no kernel of the engine}}
    plan.launch @x grid [1, 1, 1] args(@x, @x) work <rows = 1>
  }
}

// -----

// C2
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{@z is no buffer of the engine}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x, @z) work <rows = 1>
  }
}

// -----

// C3
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{has 1 arguments, @a__f32__c32__t32 has 2 parameters}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x) work <rows = 1>
  }
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{@x + 128 is outside its 128 bytes}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x + 128, @x) work <rows = 1>
  }
}

// -----

// C4
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{@x + -4 is outside its 128 bytes}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x, @x + -4) work <rows = 1>
  }
}

// -----

// C5
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.buffer @w constant 8 source #plan.rope_table<positions = 1, frequencies = [1.0], magnitude = 1.0>
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{writes @w, which is a constant}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x, @w) work <rows = 1>
  }
}

// -----

// C6
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{layer must not be negative}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] layer -1 args(@x, @x) work <rows = 1>
  }
}

// -----

// C7
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{has a tap and no layer}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] args(@x, @x) work <rows = 1> tap @x
  }
}

// -----

// C7
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.buffer @y arena 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{has the tap @x, which is no arena buffer that it writes}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] layer 0 args(@x, @y) work <rows = 1> tap @x
  }
}

// -----

// C7
plan.engine max_context 64 max_batch 1 page_tokens 64 arena_bytes 0 {
  plan.buffer @x arena 128
  plan.buffer @y counter 128
  plan.kernel @a__f32__c32__t32 op "a" threads 32 min_blocks 1 dynamic_shared 0 header "a.cuh" call "a(x, y)"
      params [#plan.param<"x", "const float*", read>, #plan.param<"y", "float*", write>]
  plan.phase rows 1 row_block 1 outputs 1 feeds_back {
    // expected-error@+1 {{has the tap @y, which is no arena buffer that it writes}}
    plan.launch @a__f32__c32__t32 grid [1, 1, 1] layer 0 args(@x, @y) work <rows = 1> tap @y
  }
}
