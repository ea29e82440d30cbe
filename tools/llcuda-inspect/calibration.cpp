// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-inspect/calibration.h"

#include <cmath>
#include <cstdio>
#include <functional>

#include <nlohmann/json.hpp>

#include "codegen/spec/machine_spec.h"
#include "codegen/spec/t4.h"
#include "runtime/base/regular_file.h"

namespace llcuda::inspect {
namespace {

using codegen::T4Machine;
using nlohmann::json;

constexpr uint64_t kMaxBytes = 64 << 20; // of results with every sample of the clocks
constexpr double kTold = 1.25;           // a constant this far from the model's is told
constexpr double kPossible = 32;         // one further than this is of no GPU that runs these kernels
/// Of launchMicroseconds an empty launch is so much (connollydavid/tu102), the rest is drain and ramp of kernels that
/// work.
constexpr double kEmptyLaunch = 0.906;

/// Warp instructions a clock of a multiprocessor, by the cycles of a sub-partition that the model has.
double rateOf(const char* opcode, codegen::SassPipe pipe) {
  codegen::SassInstruction instruction;
  instruction.opcode = opcode;
  return 4 / codegen::costOf(instruction).cycles[static_cast<std::size_t>(pipe)];
}

/// A number of the file, what the model has for it, and what becomes of the model.
struct Constant {
  const char* pointer; ///< in the JSON
  double model;
  std::function<void(T4Machine&, double measured, double slower)> take; ///< `slower`: model / measured
};

std::vector<Constant> constants() {
  using codegen::SassPipe;
  const T4Machine model;
  const auto ignore = [](T4Machine&, double, double) {};
  return {
      {"/warp_instructions_per_clock/imma", rateOf("IMMA.8816.S8.S8", SassPipe::kTensor),
       [](T4Machine& m, double, double slower) { m.clock.units.tensorInt8 = m.multiprocessor.tensorInt8 = slower; }},
      {"/warp_instructions_per_clock/hmma", rateOf("HMMA.1688.F32", SassPipe::kTensor),
       [](T4Machine& m, double, double slower) { m.clock.units.tensorF16 = m.multiprocessor.tensorF16 = slower; }},
      {"/warp_instructions_per_clock/ffma", rateOf("FFMA", SassPipe::kFma),
       [](T4Machine& m, double, double slower) { m.clock.units.fma = m.multiprocessor.fma = slower; }},
      {"/warp_instructions_per_clock/dp4a", rateOf("IDP.4A.S8.S8", SassPipe::kFma), ignore},
      {"/warp_instructions_per_clock/alu", rateOf("LOP3.LUT", SassPipe::kAlu),
       [](T4Machine& m, double, double slower) { m.clock.units.alu = slower; }},
      {"/warp_instructions_per_clock/mufu", rateOf("MUFU.RSQ", SassPipe::kSpecial),
       [](T4Machine& m, double, double slower) { m.clock.units.special = slower; }},
      {"/warp_instructions_per_clock/hfma2", rateOf("HFMA2", SassPipe::kTensor), ignore},
      {"/warp_instructions_per_clock/shfl", rateOf("SHFL.BFLY", SassPipe::kPath), ignore},
      {"/warp_instructions_per_clock/ldsm", rateOf("LDSM.16.M88.4", SassPipe::kPath),
       [](T4Machine& m, double, double slower) {
         m.clock.units.path = slower;
         m.multiprocessor.pathBytes /= slower;
       }},
      {"/warp_instructions_per_clock/lds", rateOf("LDS.U.128", SassPipe::kPath), ignore},
      {"/warp_instructions_per_clock/ldg", rateOf("LDG.E.128", SassPipe::kPath), ignore},
      {"/l2_bytes_per_clock", model.clock.l2BytesPerCycle,
       [](T4Machine& m, double measured, double) { m.clock.l2BytesPerCycle = measured; }},
      {"/memory/bytes_per_second", codegen::kReadStream,
       [](T4Machine& m, double, double slower) { m.clock.memoryBytesPerSecond /= slower; }},
      {"/launch_microseconds", kEmptyLaunch,
       [](T4Machine& m, double measured, double) { m.clock.launchMicroseconds += measured - kEmptyLaunch; }},
      {"/latency_cycles/shared", double(model.multiprocessor.sharedLatency),
       [](T4Machine& m, double measured, double) { m.multiprocessor.sharedLatency = std::lround(measured); }},
      {"/latency_cycles/l2", double(model.multiprocessor.l2Latency),
       [](T4Machine& m, double measured, double) { m.multiprocessor.l2Latency = std::lround(measured); }},
      {"/latency_cycles/memory", double(model.multiprocessor.memoryLatency),
       [](T4Machine& m, double measured, double) { m.multiprocessor.memoryLatency = std::lround(measured); }},
      {"/latency_cycles/imma", double(model.multiprocessor.tensorLatency),
       [](T4Machine& m, double measured, double) { m.multiprocessor.tensorLatency = std::lround(measured); }},
      {"/latency_cycles/mufu", double(model.multiprocessor.specialLatency),
       [](T4Machine& m, double measured, double) { m.multiprocessor.specialLatency = std::lround(measured); }},
  };
}

std::string shortNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// The number at a place of an object; nothing where there is none.
std::optional<double> numberAt(const json& object, const char* pointer) {
  const json::json_pointer place(pointer);
  if (!object.contains(place) || !object.at(place).is_number())
    return std::nullopt;
  return object.at(place).get<double>();
}

Result<json> machineIn(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(const RegularFile opened, RegularFile::open(path));
  if (opened.bytes() > kMaxBytes)
    return badInput(path, ": has ", opened.bytes(), " bytes, measurements have at most ", kMaxBytes);
  LLCUDA_ASSIGN_OR_RETURN(const std::string text, readFile(path));
  json object = json::parse(text, nullptr, false);
  if (object.is_object() && object.contains("machine"))
    object = json(object["machine"]);
  if (!object.is_object() || !object.contains(codegen::kMachineKey))
    return badInput(path, ": has no measurements of a GPU; llcuda-calibrate -o ", path, " makes them");
  if (object[codegen::kMachineKey] != codegen::kMachineVersion)
    return badInput(path, ": measurements are of another version of llcuda; measure again with llcuda-calibrate -o ",
                    path);
  return object;
}

/// What no constant of the model is, but says whether the GPU is what the model takes it for.
void addFacts(const json& object, const std::string& path, Calibration& to) {
  const json::json_pointer name("/device/name"), major("/device/compute_capability/0"),
      minor("/device/compute_capability/1");
  const bool known = object.contains(name) && object.at(name).is_string();
  const std::string device = known ? object.at(name).get<std::string>() : "an unknown GPU";
  const bool isTuring =
      object.contains(major) && object.contains(minor) && object.at(major) == 7 && object.at(minor) == 5;
  to.notes.insert(to.notes.begin(), "calibrated by " + path + ", measured on " + device +
                                        (isTuring ? "" : ", which is no SM 7.5: a T4 is not like this"));
  const auto fresh = numberAt(object, "/memory/bytes_per_second"),
             later = numberAt(object, "/memory_after_work/bytes_per_second");
  const auto freshClock = numberAt(object, "/memory/megahertz"),
             laterClock = numberAt(object, "/memory_after_work/megahertz");
  if (fresh && later && freshClock && laterClock && *fresh > 0)
    to.notes.push_back("memory reads at " + shortNumber(*later / *fresh * 100) +
                       " % of its rate when tensor cores have worked: " + shortNumber(*freshClock) + " MHz before, " +
                       shortNumber(*laterClock) + " then");
  constexpr double kBlocks = codegen::t4::kSharedBytesPerMultiprocessor / (32. * 1024);
  if (const auto asked = numberAt(object, "/resident_blocks/when_asked"); isTuring && asked && *asked != kBlocks)
    to.notes.push_back("blocks of 32 KiB of shared memory: " + shortNumber(*asked) + " at a time, the model has " +
                       shortNumber(kBlocks));
}

} // namespace

Result<Calibration> readCalibration(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(const json object, machineIn(path));
  if (object.value("timed", json(false)) != true)
    return badInput(path, ": nothing was timed, as on the host; measure on a GPU");
  Calibration calibration;
  for (const Constant& constant : constants()) {
    const std::optional<double> measured = numberAt(object, constant.pointer);
    if (!measured)
      return badInput(path, ": ", constant.pointer, " is no number");
    const double slower = constant.model / *measured;
    if (!std::isfinite(slower) || !(slower >= 1 / kPossible && slower <= kPossible))
      return badInput(path, ": ", constant.pointer, " is ", *measured, ", the model has ", constant.model,
                      "; no GPU is so far from it");
    if (slower > kTold || slower < 1 / kTold)
      calibration.notes.push_back(std::string("warning: ") + (constant.pointer + 1) + " is " + shortNumber(*measured) +
                                  ", the model has " + shortNumber(constant.model) + " (" +
                                  shortNumber((*measured / constant.model - 1) * 100) + " %)");
    constant.take(calibration.machine, *measured, slower);
  }
  addFacts(object, path, calibration);
  return calibration;
}

} // namespace llcuda::inspect
