// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

// Weight C1
// expected-error@+1 {{a weight of 0x64 has no elements}}
func.func private @no_rows(!llm.weight<0x64, f16>)

// -----

// Weight C2
// expected-error@+1 {{48 columns are not a multiple of the 32 elements of a block of q4_1}}
func.func private @half_block(!llm.weight<4x48, q4_1>)

// -----

// expected-error@+1 {{'q4_9' is not an encoding}}
func.func private @encoding(!llm.weight<4x64, q4_9>)

// -----

// expected-error@+1 {{'q4_0_rows' is not a layout of weights}}
func.func private @layout(!llm.weight<4x64, q4_0, q4_0_rows>)

// -----

// expected-error@+1 {{expected two sizes}}
func.func private @rank(!llm.weight<4x4x64, f16>)

// -----

// Cache C1
// expected-error@+1 {{a cache needs a layer >= 0, at least one head and at least one element, not layer -1, 2x16}}
func.func private @layer(!llm.cache<layer -1, 2x16, f16, f16>)

// -----

// Cache C1
// expected-error@+1 {{a cache needs a layer >= 0, at least one head and at least one element, not layer 0, 0x16}}
func.func private @heads(!llm.cache<layer 0, 0x16, f16, f16>)
