// RUN: llcuda-opt %s --split-input-file --verify-diagnostics

func.func @layer(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{needs an integer >= 0 in 'llm.layer'}}
  %0 = llm.add %x, %x {llm.layer = -1} : tensor<?x64xf32>
  return
}

// -----

func.func @unknown(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{has the unknown attribute 'llm.lair'}}
  %0 = llm.add %x, %x {llm.lair = 1} : tensor<?x64xf32>
  return
}

// -----

// expected-error@+1 {{argument 0 needs tokens, positions, slots, output_rows or sampling in 'llm.io'}}
func.func private @role(tensor<?xi32> {llm.io = "token"})

// -----

// expected-error@+1 {{has the unknown argument attribute 'llm.oi'}}
func.func private @unknown_argument(tensor<?xi32> {llm.oi = "tokens"})
