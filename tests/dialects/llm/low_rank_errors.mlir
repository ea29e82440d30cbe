// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @c1(%x: tensor<?x32xf32>, %a: !llm.weight<32x64, f16>, %b: !llm.weight<8x32, f16>) {
  // C1
  // expected-error@+1 {{input has 32 columns, a has 64}}
  %0 = llm.low_rank %x, %a, %b : (tensor<?x32xf32>, !llm.weight<32x64, f16>, !llm.weight<8x32, f16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @c2(%x: tensor<?x64xf32>, %a: !llm.weight<32x64, f16>, %b: !llm.weight<8x64, f16>) {
  // C2
  // expected-error@+1 {{b columns must be 32, not 64}}
  %0 = llm.low_rank %x, %a, %b : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<8x64, f16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @c3(%x: tensor<?x64xf32>, %a: !llm.weight<32x64, f16>, %b: !llm.weight<8x32, f16>) {
  // C3
  // expected-error@+1 {{result columns must be 8, not 64}}
  %0 = llm.low_rank %x, %a, %b : (tensor<?x64xf32>, !llm.weight<32x64, f16>, !llm.weight<8x32, f16>) -> tensor<?x64xf32>
  return
}
