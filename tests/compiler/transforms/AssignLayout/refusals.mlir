// RUN: llcuda-opt --llm-assign-layout %s --split-input-file --verify-diagnostics

func.func @no_layout() {
  // expected-error@+1 {{no device layout keeps i64 of 'numbers'}}
  %0 = llm.parameter "numbers" : !llm.weight<64x64, i64>
  return
}

// -----

func.func @columns() {
  // expected-error@+1 {{'narrow': }}
  %0 = llm.parameter "narrow" : !llm.weight<64x40, f16>
  return
}
