// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/warp_registers.h"

namespace llcuda::codegen {

Value everywhere(uint32_t value) {
  Value all;
  all.at.fill(value);
  all.known = kAllLanes;
  return all;
}

Flags WarpRegisters::flags(const SassOperand& operand) const {
  Flags all = {kAllLanes, kAllLanes}; // PT
  if (operand.index != SassOperand::kZero)
    all = (operand.uniform ? uniformFlags : laneFlags)[operand.index % 8];
  all.at ^= operand.inverted ? kAllLanes : 0;
  return all;
}

Value WarpRegisters::constant(uint32_t offset) const {
  const auto found = constants.find(offset);
  return found == constants.end() ? Value{} : everywhere(found->second);
}

Value WarpRegisters::value(const SassOperand& operand, uint32_t word) const {
  Value of;
  if (operand.kind == SassOperand::Kind::kImmediate)
    of = everywhere(word == 0 ? operand.value : operand.value >> 31 != 0 ? kAllLanes : 0);
  else if (operand.kind == SassOperand::Kind::kConstant)
    of = constant(operand.value + 4 * word);
  else if (operand.kind == SassOperand::Kind::kRegister && operand.index == SassOperand::kZero)
    of = everywhere(0);
  else if (operand.kind == SassOperand::Kind::kRegister)
    of = (operand.uniform ? uniformRegisters : registers)[(operand.index + word) % 256];
  else if (operand.isPredicate())
    return {};
  for (uint32_t& lane : of.at) {
    lane = operand.absolute && static_cast<int32_t>(lane) < 0 ? 0 - lane : lane;
    lane = operand.inverted ? ~lane : operand.negative ? 0 - lane : lane;
  }
  return of;
}

void WarpRegisters::write(const Decoded& d, const Value& result, uint32_t word) {
  if (d.result && d.result->index != SassOperand::kZero)
    write(*d.result, result, word);
}

void WarpRegisters::write(const SassOperand& to, const Value& result, uint32_t word) {
  Value& kept = (to.uniform ? uniformRegisters : registers)[(to.index + word) % 256];
  const uint32_t written = to.uniform && sure != 0 ? kAllLanes : sure;
  for (uint32_t lane = 0; lane < kLanes; ++lane)
    if ((written >> lane & 1) != 0)
      kept.at[lane] = result.at[lane];
  kept.known = (kept.known & ~written & ~perhaps) | (result.known & written);
}

void WarpRegisters::write(const SassOperand& to, Flags result) {
  if (to.index == SassOperand::kZero)
    return;
  Flags& kept = (to.uniform ? uniformFlags : laneFlags)[to.index % 8];
  const uint32_t written = to.uniform && sure != 0 ? kAllLanes : sure;
  kept.at = (kept.at & ~written) | (result.at & written);
  kept.known = (kept.known & ~written & ~perhaps) | (result.known & written);
}

void WarpRegisters::writeFlag(const Decoded& d, size_t index, Flags result) {
  if (index < d.flagResults.size())
    write(d.flagResults[index], result);
}

void WarpRegisters::forget(const Decoded& d) {
  for (uint32_t word = 0; d.result && word < registersOf(d); ++word) write(d, {}, word);
  for (const SassOperand& flag : d.flagResults) write(flag, Flags{});
}

} // namespace llcuda::codegen
