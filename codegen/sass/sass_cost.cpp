// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/sass_cost.h"

#include <algorithm>

namespace llcuda::codegen {
namespace {

constexpr double kLanes = 32;

struct Rate {
  std::string_view name;
  SassPipe pipe;
  double cycles;
};

// Names of SM 7.5; what is not here is integer arithmetic at its usual rate.
constexpr Rate kRates[] = {
    {"FADD", SassPipe::kFp32, 2},    {"FMUL", SassPipe::kFp32, 2},    {"FFMA", SassPipe::kFp32, 2},
    {"FSEL", SassPipe::kInteger, 2}, {"IMAD", SassPipe::kFp32, 2},    {"IDP", SassPipe::kFp32, 2},
    {"HADD2", SassPipe::kHalf, 2},   {"HMUL2", SassPipe::kHalf, 2},   {"HFMA2", SassPipe::kHalf, 2},
    {"HSET2", SassPipe::kHalf, 2},   {"HSETP2", SassPipe::kHalf, 2},  {"MUFU", SassPipe::kSpecial, 8},
    {"I2F", SassPipe::kSpecial, 8},  {"F2I", SassPipe::kSpecial, 8},  {"F2F", SassPipe::kSpecial, 8},
    {"I2I", SassPipe::kSpecial, 8},  {"FRND", SassPipe::kSpecial, 8}, {"HMMA", SassPipe::kTensor, 8},
    {"IMMA", SassPipe::kTensor, 4},  {"LDG", SassPipe::kMemory, 8},   {"STG", SassPipe::kMemory, 8},
    {"LDS", SassPipe::kMemory, 8},   {"STS", SassPipe::kMemory, 8},   {"LDL", SassPipe::kMemory, 8},
    {"STL", SassPipe::kMemory, 8},   {"LDSM", SassPipe::kMemory, 8},  {"ATOM", SassPipe::kMemory, 8},
    {"ATOMG", SassPipe::kMemory, 8}, {"RED", SassPipe::kMemory, 8},   {"SHFL", SassPipe::kMemory, 8},
    {"BRA", SassPipe::kControl, 2},  {"BAR", SassPipe::kControl, 2},  {"EXIT", SassPipe::kControl, 2},
    {"NOP", SassPipe::kControl, 1},  {"BSSY", SassPipe::kControl, 2}, {"BSYNC", SassPipe::kControl, 2},
};
// The units of loads and stores serve all four sub-partitions: 2 cycles of the multiprocessor are 8 of a quarter.

bool hasModifier(std::string_view opcode, std::string_view modifier) {
  for (size_t at = opcode.find('.'); at != std::string_view::npos; at = opcode.find('.', at + 1))
    if (opcode.substr(at + 1, opcode.find('.', at + 1) - at - 1) == modifier)
      return true;
  return false;
}

double loadBytes(std::string_view opcode) {
  if (hasModifier(opcode, "128"))
    return 16;
  if (hasModifier(opcode, "64"))
    return 8;
  for (const std::string_view one : {"U8", "S8"})
    if (hasModifier(opcode, one))
      return 1;
  for (const std::string_view two : {"U16", "S16"})
    if (hasModifier(opcode, two))
      return 2;
  return 4;
}

} // namespace

std::string_view sassPipeName(SassPipe pipe) {
  constexpr std::string_view kNames[kSassPipes] = {"fp32", "integer", "f16", "special", "tensor", "memory", "control"};
  return kNames[static_cast<size_t>(pipe)];
}

SassCost& SassCost::operator+=(const SassCost& other) {
  instructions += other.instructions;
  for (size_t i = 0; i < kSassPipes; ++i) cycles[i] += other.cycles[i];
  globalLoadBytes += other.globalLoadBytes;
  multiplyAdds += other.multiplyAdds;
  fp32MultiplyAdds += other.fp32MultiplyAdds;
  shortGlobalLoads += other.shortGlobalLoads;
  return *this;
}

SassCost operator*(SassCost cost, double factor) {
  cost.instructions *= factor;
  for (double& cycles : cost.cycles) cycles *= factor;
  cost.globalLoadBytes *= factor;
  cost.multiplyAdds *= factor;
  cost.fp32MultiplyAdds *= factor;
  cost.shortGlobalLoads *= factor;
  return cost;
}

SassCost costOf(const SassInstruction& instruction) {
  const std::string_view name = instruction.name();
  const auto rate = std::find_if(std::begin(kRates), std::end(kRates), [&](const Rate& r) { return r.name == name; });
  SassCost cost;
  cost.instructions = 1;
  if (rate == std::end(kRates))
    cost.cycles[static_cast<size_t>(SassPipe::kInteger)] = 2;
  else
    cost.cycles[static_cast<size_t>(rate->pipe)] = rate->cycles;
  if (name == "LDG") {
    const double bytes = loadBytes(instruction.opcode);
    cost.globalLoadBytes = bytes * kLanes;
    cost.shortGlobalLoads = bytes < 4 ? 1 : 0;
  }
  if (name == "IDP")
    cost.multiplyAdds = 4 * kLanes;
  else if (name == "HFMA2" && !hasModifier(instruction.opcode, "MMA"))
    cost.multiplyAdds = 2 * kLanes;
  else if (name == "HMMA")
    cost.multiplyAdds = 16 * 8 * 8;
  else if (name == "IMMA")
    cost.multiplyAdds = 8 * 8 * 16;
  else if (name == "FFMA")
    cost.fp32MultiplyAdds = kLanes;
  return cost;
}

SassCost costOf(const SassListing& listing, size_t first, size_t last) {
  SassCost sum;
  for (size_t i = first; i < last; ++i) sum += costOf(listing.instructions[i]);
  return sum;
}

} // namespace llcuda::codegen
