// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/sass_operand.h"

#include <charconv>

namespace llcuda::codegen {
namespace {

using Kind = SassOperand::Kind;

/// "0x10", "-0x10" or "3"; false for other text, as a float is.
bool readNumber(std::string_view text, uint32_t& value) {
  const bool negative = text.starts_with("-");
  text.remove_prefix(negative);
  const bool hexadecimal = text.starts_with("0x");
  text.remove_prefix(hexadecimal ? 2 : 0);
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  value = negative ? 0 - value : value;
  return !text.empty() && end.ptr == text.data() + text.size();
}

/// "R12", "URZ", "UP3", "PT", without what follows a point.
bool readRegister(std::string_view text, SassOperand& operand) {
  text = text.substr(0, text.find('.'));
  operand.uniform = text.starts_with("U");
  text.remove_prefix(operand.uniform);
  if (text.size() < 2 || (text[0] != 'R' && text[0] != 'P'))
    return false;
  operand.kind = text[0] == 'R' ? Kind::kRegister : Kind::kPredicate;
  text.remove_prefix(1);
  if (text == "Z" || text == "T")
    return true;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), operand.index);
  return end.ptr == text.data() + text.size();
}

/// "R2.64+UR4+0x10", "R2.X4", "R2.U32+UR4+-0x80"
void readAddress(std::string_view text, SassOperand& operand) {
  operand.kind = Kind::kAddress;
  while (!text.empty()) {
    const size_t end = std::min(text.find('+', 1), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    SassOperand base;
    if (readNumber(part, operand.value) || !readRegister(part, base))
      continue;
    if (base.uniform) {
      operand.added = base.index;
      continue;
    }
    operand.index = base.index;
    operand.pair = part.find(".U32") == std::string_view::npos;
    const size_t scale = part.find(".X");
    if (scale != std::string_view::npos)
      readNumber(part.substr(scale + 2), operand.scale);
  }
}

SassOperand parseOperand(std::string_view text) {
  SassOperand operand;
  operand.name = text;
  for (; !text.empty() && std::string_view("-~!|").find(text[0]) != std::string_view::npos; text.remove_prefix(1)) {
    operand.negative = operand.negative || (text[0] == '-');
    operand.inverted = operand.inverted || text[0] == '~' || text[0] == '!';
    operand.absolute = operand.absolute || text[0] == '|';
  }
  if (const size_t bar = text.find('|'); bar != std::string_view::npos)
    text = text.substr(0, bar);
  if (text.starts_with("desc["))
    text.remove_prefix(text.find("][") + 1);
  if (text.starts_with("[")) {
    readAddress(text.substr(1, text.find(']') - 1), operand);
  } else if (text.starts_with("c[0x0][")) {
    const std::string_view offset = text.substr(7, text.find(']', 7) - 7);
    if (readNumber(offset, operand.value))
      operand.kind = Kind::kConstant;
  } else if (text.starts_with("SR")) {
    operand.kind = Kind::kSpecial;
    operand.name = text;
  } else if (readNumber(text, operand.value)) {
    operand.kind = Kind::kImmediate;
    if (operand.negative) // of the number itself
      operand.value = 0 - operand.value, operand.negative = false;
  } else if (!readRegister(text, operand)) {
    operand.kind = Kind::kOther;
  }
  return operand;
}

bool isOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

} // namespace

std::vector<SassOperand> parseOperands(std::string_view text) {
  std::vector<SassOperand> operands;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (part.starts_with(" ")) part.remove_prefix(1);
    part = part.substr(0, part.find(' ')); // behind which a remark may stand: (*"SpillRefill"*)
    operands.push_back(parseOperand(part));
  }
  return operands;
}

Decoded decode(const SassInstruction& instruction) {
  Decoded decoded;
  decoded.instruction = &instruction;
  std::string_view name = instruction.name(), rest = instruction.opcode;
  decoded.uniform = name.starts_with("U") && name != "UNKNOWN";
  decoded.name = name.substr(decoded.uniform);
  for (size_t at = rest.find('.'); at != std::string_view::npos; at = rest.find('.')) {
    rest.remove_prefix(at + 1);
    decoded.modifiers.push_back(rest.substr(0, rest.find('.')));
  }
  if (!instruction.guard.empty())
    decoded.guard = parseOperands(std::string_view(instruction.guard).substr(1)).front();
  std::vector<SassOperand> operands = parseOperands(instruction.operands);
  size_t next = 0;
  const bool compares = decoded.name.ends_with("SETP") || decoded.name == "PLOP3";
  const auto takeFlags = [&](size_t most) {
    for (; most > 0 && next < operands.size() && operands[next].isPredicate(); --most)
      decoded.flagResults.push_back(operands[next++]);
  };
  takeFlags(compares ? 2 : 1);
  if (!compares && next < operands.size() && operands[next].kind == Kind::kRegister &&
      !isOneOf(decoded.name, {"WARPSYNC", "RET", "BRX", "NANOSLEEP", "BREAK"})) {
    decoded.result = operands[next++];
    if (isOneOf(decoded.name, {"IADD3", "LEA", "IMAD", "LOP3"}))
      takeFlags(2);
    else if (isOneOf(decoded.name, {"VOTE", "B2R"}))
      takeFlags(1);
  }
  decoded.sources.assign(operands.begin() + static_cast<ptrdiff_t>(next), operands.end());
  return decoded;
}

uint32_t registersOf(const Decoded& decoded) {
  if (decoded.name == "LDSM")
    return decoded.has("4") ? 4 : decoded.has("2") ? 2 : 1;
  if (decoded.name == "IMMA")
    return decoded.has("8816") ? 2 : 4;
  if (decoded.name == "HMMA")
    return decoded.has("F32") ? 4 : 2;
  if (decoded.has("128"))
    return 4;
  const bool isDouble = decoded.name.starts_with("D") && decoded.name != "DEPBAR";
  return isDouble || decoded.has("64") || decoded.has("F64") || decoded.has("WIDE") || decoded.has("U64") ? 2 : 1;
}

uint32_t widthOf(const Decoded& decoded) {
  return decoded.name == "LDSM" || decoded.has("128") ? 16
         : decoded.has("64")                          ? 8
         : decoded.has("U8") || decoded.has("S8")     ? 1
         : decoded.has("U16") || decoded.has("S16")   ? 2
                                                      : 4;
}

} // namespace llcuda::codegen
