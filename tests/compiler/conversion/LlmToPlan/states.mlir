// RUN: llcuda-opt --llm-to-plan="max-context=64 max-batch=2 prompt-rows=64" %s | FileCheck %s

// A state is a buffer of one slot's bytes that all phases share: of a convolution the inputs of as many positions as it
// has taps, of the delta rule two copies. A phase says where its sequences begin.
// CHECK-DAG:  plan.buffer @short_conv_state_0 state 768
// CHECK-DAG:  plan.buffer @delta_rule_state_1 state 8192
// CHECK:      plan.phase rows 1 row_block 1
// CHECK:      plan.launch @[[CONV:short_conv__c64_k3_gated_t32__f32__[0-9a-f]+]] grid [1, 1, 1] {{.*}}@decode_positions, @decode_slots, @short_conv_state_0
// CHECK:      plan.launch @delta_rule__k1_v1_d32_r1_b1__{{[0-9a-f]+}} grid [1, 1, 1] {{.*}}@delta_rule_state_1
// CHECK-NEXT: plan.launch @take_columns__n16_c16_g32_f16_t128__
// CHECK:      plan.phase rows 64 row_block 64
// CHECK:      plan.launch @[[CONV]] grid [1, 64, 1] {{.*}}@prompt_positions, @prompt_slots, @short_conv_state_0
// CHECK:      plan.launch @delta_rule__k1_v1_d32_r64_b64__{{[0-9a-f]+}} grid [1, 1, 1] {{.*}}@delta_rule_state_1
func.func @forward(%tokens: tensor<?xi32> {llm.io = "tokens"}, %positions: tensor<?xi32> {llm.io = "positions"},
                   %slots: tensor<?xi32> {llm.io = "slots"}) -> tensor<?x16xf32> {
  %w = llm.parameter "token_embd.weight" : !llm.weight<64x192, f16, f16_rows>
  %down = llm.parameter "down" : !llm.weight<96x64, f16, f16_rows>
  %gate = llm.parameter "gate" : !llm.weight<1x64, f16, f16_rows>
  %taps = llm.parameter "taps" : tensor<192xf32>
  %rate = llm.parameter "rate" : tensor<1xf32>
  %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<64x192, f16, f16_rows>) -> tensor<?x192xf32>
  %c = llm.short_conv gated %x, %taps, %positions, %slots layer 0
      : (tensor<?x192xf32>, tensor<192xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x64xf32>
  %d = llm.linear %c, %down : (tensor<?x64xf32>, !llm.weight<96x64, f16, f16_rows>) -> tensor<?x96xf32>
  %g = llm.linear %c, %gate : (tensor<?x64xf32>, !llm.weight<1x64, f16, f16_rows>) -> tensor<?x1xf32>
  %y = llm.delta_rule %d, %g, %g, %rate, %rate, %positions, %slots heads 1 of 1 head_size 32 layer 1
      : (tensor<?x96xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<?xi32>, tensor<?xi32>)
      -> tensor<?x32xf32>
  %t = llm.take_columns %y 16 of 32 from 16 : tensor<?x32xf32> -> tensor<?x16xf32>
  return %t : tensor<?x16xf32>
}
