// SPDX-License-Identifier: Apache-2.0
// What is known of the registers of a warp while its instructions are carried out (block_run.h).
#pragma once

#include <array>
#include <map>

#include "codegen/sass/sass_operand.h"

namespace llcuda::codegen {

inline constexpr uint32_t kLanes = 32, kAllLanes = UINT32_MAX;

/// A register of a warp: `known` has a bit for each lane.
struct Value {
  std::array<uint32_t, kLanes> at{};
  uint32_t known = 0;
};
/// A predicate of a warp: bits of lanes.
struct Flags {
  uint32_t at = 0, known = 0;
};

Value everywhere(uint32_t value);

class WarpRegisters {
public:
  /// `constants`: bank 0 by offset.
  explicit WarpRegisters(const std::map<uint32_t, uint32_t>& constants) : constants(constants) {}

protected:
  Flags flags(const SassOperand& operand) const;
  Value constant(uint32_t offset) const;
  /// Word `word` of an operand: the second is of a pair of registers, or the next constant.
  Value value(const SassOperand& operand, uint32_t word = 0) const;

  // In lanes that surely take part; those that perhaps do are not known any more.
  void write(const Decoded& d, const Value& result, uint32_t word = 0);
  void write(const SassOperand& to, const Value& result, uint32_t word);
  void write(const SassOperand& to, Flags result);
  void writeFlag(const Decoded& d, size_t index, Flags result);
  /// No result of `d` is known.
  void forget(const Decoded& d);

  uint32_t lanes = 0, sure = 0, perhaps = 0; ///< that take part: by their place; surely, perhaps by the guard

private:
  const std::map<uint32_t, uint32_t>& constants;
  std::array<Value, 256> registers, uniformRegisters;
  std::array<Flags, 8> laneFlags, uniformFlags;
};

} // namespace llcuda::codegen
