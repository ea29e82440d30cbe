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

// Names of SM 7.5 whose cost does not depend on a width; what is not here is integer arithmetic at its usual rate.
constexpr Rate kRates[] = {
    {"FADD", SassPipe::kFma, 2},      {"FMUL", SassPipe::kFma, 2},       {"FFMA", SassPipe::kFma, 2},
    {"FSETP", SassPipe::kFma, 2},     {"FMNMX", SassPipe::kFma, 2},      {"IMAD", SassPipe::kFma, 2},
    {"IDP", SassPipe::kFma, 2},       {"HADD2", SassPipe::kTensor, 2},   {"HMUL2", SassPipe::kTensor, 2},
    {"HFMA2", SassPipe::kTensor, 2},  {"HSET2", SassPipe::kTensor, 2},   {"HSETP2", SassPipe::kTensor, 2},
    {"MUFU", SassPipe::kSpecial, 8},  {"I2F", SassPipe::kSpecial, 8},    {"F2I", SassPipe::kSpecial, 8},
    {"I2I", SassPipe::kSpecial, 8},   {"FRND", SassPipe::kSpecial, 8},   {"POPC", SassPipe::kSpecial, 8},
    {"FLO", SassPipe::kSpecial, 8},   {"F2F", SassPipe::kSpecial, 4},    {"HMMA", SassPipe::kTensor, 8},
    {"IMMA", SassPipe::kTensor, 4},   {"BRA", SassPipe::kControl, 2},    {"BAR", SassPipe::kControl, 2},
    {"EXIT", SassPipe::kControl, 2},  {"NOP", SassPipe::kControl, 1},    {"BSSY", SassPipe::kControl, 2},
    {"BSYNC", SassPipe::kControl, 2}, {"DEPBAR", SassPipe::kControl, 1}, {"WARPSYNC", SassPipe::kControl, 2},
    {"YIELD", SassPipe::kControl, 1}, {"CALL", SassPipe::kControl, 2},   {"RET", SassPipe::kControl, 2},
};

/// Instructions that take the path of shared memory and L1.
constexpr std::string_view kPathNames[] = {"LDG", "STG",  "LDS",  "STS",  "LDL",   "STL",   "LD",
                                           "ST",  "LDSM", "SHFL", "ATOM", "ATOMG", "ATOMS", "RED"};

bool hasModifier(std::string_view opcode, std::string_view modifier) {
  for (size_t at = opcode.find('.'); at != std::string_view::npos; at = opcode.find('.', at + 1))
    if (opcode.substr(at + 1, opcode.find('.', at + 1) - at - 1) == modifier)
      return true;
  return false;
}

/// Of a lane.
double accessBytes(std::string_view opcode) {
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

bool isOfPath(std::string_view name) {
  return std::ranges::find(kPathNames, name) != std::end(kPathNames);
}

/// Of a warp. An access of less than 32 bits a lane takes as long as one of 32.
double bytesByWidth(std::string_view name, std::string_view opcode) {
  if (name == "LDSM") // of 1, 2 or 4 matrices of 128 bytes
    return kLanes * 4 * (hasModifier(opcode, "4") ? 4 : hasModifier(opcode, "2") ? 2 : 1);
  if (name == "SHFL")
    return kLanes * 4;
  return kLanes * std::max(accessBytes(opcode), 4.);
}

} // namespace

std::string_view sassPipeName(SassPipe pipe) {
  constexpr std::string_view kNames[kSassPipes] = {"fma", "alu", "special", "tensor", "path", "control"};
  return kNames[static_cast<size_t>(pipe)];
}

SassCost& SassCost::operator+=(const SassCost& other) {
  instructions += other.instructions;
  for (size_t i = 0; i < kSassPipes; ++i) cycles[i] += other.cycles[i];
  globalLoadBytes += other.globalLoadBytes;
  for (size_t i = 0; i < kSassProducts; ++i) multiplyAdds[i] += other.multiplyAdds[i];
  shortGlobalLoads += other.shortGlobalLoads;
  return *this;
}

SassCost operator*(SassCost cost, double factor) {
  cost.instructions *= factor;
  for (double& cycles : cost.cycles) cycles *= factor;
  cost.globalLoadBytes *= factor;
  for (double& products : cost.multiplyAdds) products *= factor;
  cost.shortGlobalLoads *= factor;
  return cost;
}

double pathBytesOf(const SassInstruction& instruction, uint32_t path) {
  if (!isOfPath(instruction.name()))
    return 0;
  if (instruction.access)
    return path == 128 ? instruction.access->bytes128 : instruction.access->bytes64;
  return bytesByWidth(instruction.name(), instruction.opcode);
}

SassCost costOf(const SassInstruction& instruction) {
  const std::string_view name = instruction.name();
  const auto rate = std::find_if(std::begin(kRates), std::end(kRates), [&](const Rate& r) { return r.name == name; });
  SassCost cost;
  cost.instructions = 1;
  const auto charge = [&](SassPipe pipe, double cycles) { cost.cycles[static_cast<size_t>(pipe)] = cycles; };
  if (rate != std::end(kRates))
    charge(rate->pipe, rate->cycles);
  else if (isOfPath(name))
    charge(SassPipe::kPath, pathBytesOf(instruction, 64) / kPathBytesPerCycle);
  else if (name.starts_with("U")) // of the uniform data path, beside the lanes
    charge(SassPipe::kControl, 1);
  else
    charge(SassPipe::kAlu, 2);
  if (name == "LDG") {
    const double bytes = accessBytes(instruction.opcode);
    cost.globalLoadBytes = bytes * kLanes;
    cost.shortGlobalLoads = bytes < 4 ? 1 : 0;
  }
  const auto multiplies = [&](SassProduct by, double count) { cost.multiplyAdds[static_cast<size_t>(by)] = count; };
  if (name == "IDP")
    multiplies(SassProduct::kDp4a, 4 * kLanes);
  else if (name == "HFMA2" && !hasModifier(instruction.opcode, "MMA"))
    multiplies(SassProduct::kHalves, 2 * kLanes);
  else if (name == "HMMA")
    multiplies(SassProduct::kTensorF16, 16 * 8 * 8);
  else if (name == "IMMA")
    multiplies(SassProduct::kTensorInt8, 8 * 8 * 16);
  else if (name == "FFMA")
    multiplies(SassProduct::kFp32, kLanes);
  return cost;
}

SassCost costOf(const SassListing& listing, size_t first, size_t last) {
  SassCost sum;
  for (size_t i = first; i < last; ++i) sum += costOf(listing.instructions[i]);
  return sum;
}

} // namespace llcuda::codegen
