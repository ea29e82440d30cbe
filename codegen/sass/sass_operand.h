// SPDX-License-Identifier: Apache-2.0
// An instruction's operands, read from nvdisasm's text, and what they are for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "codegen/sass/sass_listing.h"

namespace llcuda::codegen {

struct SassOperand {
  enum class Kind : uint8_t { kOther, kRegister, kPredicate, kImmediate, kConstant, kAddress, kSpecial };
  Kind kind = Kind::kOther;
  bool uniform = false;   ///< of registers and predicates: one for the warp
  uint32_t index = kZero; ///< of a register, also the one of an address; kZero: RZ, URZ, PT, UPT or none
  uint32_t value = 0;     ///< an immediate, an offset within an address or constant bank 0
  bool negative = false;  ///< "-R1"
  bool inverted = false;  ///< "~R1", "!P1"
  bool absolute = false;  ///< "|R1|"
  bool pair = true;       ///< of an address: its register is 64 bits where addresses are; "[R2.U32+UR4]" is not
  uint32_t scale = 1;     ///< of an address: "[R2.X4]"
  uint32_t added = kZero; ///< of an address: a uniform register that is added
  std::string_view name;  ///< kSpecial: "SR_TID.X"; kOther: the text

  static constexpr uint32_t kZero = UINT32_MAX;
  bool isPredicate() const { return kind == Kind::kPredicate; }
};

/// "R4, -R5.reuse, c[0x0][0x160], [R2.64+UR4+0x10], !PT": in order. Names refer to `text`.
std::vector<SassOperand> parseOperands(std::string_view text);

/// An instruction, its operands sorted by what they are for.
struct Decoded {
  const SassInstruction* instruction = nullptr;
  std::string_view name; ///< without the U of the uniform data path
  std::vector<std::string_view> modifiers;
  std::optional<SassOperand> guard, result;
  std::vector<SassOperand> flagResults, sources;
  bool uniform = false;

  bool has(std::string_view modifier) const { return std::ranges::find(modifiers, modifier) != modifiers.end(); }
};

/// Names refer to `instruction`.
Decoded decode(const SassInstruction& instruction);
/// Registers of 32 bits of the result, or of what is stored.
uint32_t registersOf(const Decoded& decoded);
/// Bytes of a lane of an access.
uint32_t widthOf(const Decoded& decoded);

} // namespace llcuda::codegen
