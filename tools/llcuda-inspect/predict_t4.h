// SPDX-License-Identifier: Apache-2.0
// What a token of an engine takes on a T4, from the engine's own sm_75 machine code. Predicted, not measured.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "codegen/sass/launch_model.h"
#include "runtime/engine/engine.h"

namespace llcuda::inspect {

struct PredictRequest {
  std::vector<double> megahertz = {1590, 1100, 800}; ///< clocks of the multiprocessors
  uint32_t context = 512;                            ///< positions in the cache
  std::string nvdisasm;                              ///< path of the disassembler
};

/// All launches of one kernel in the decode phase for one row.
struct PredictedKernel {
  std::string name;
  uint32_t launches = 0;
  uint32_t registers = 0;
  uint32_t warps = 0;       ///< that a multiprocessor holds
  double bytes = 0;         ///< of all launches
  double instructions = 0;  ///< of all warps of all launches
  double bytesInFlight = 0; ///< on a multiprocessor: what its warps load in one turn of the loop
  bool spills = false;
  uint64_t longestLoop = 0;               ///< bytes of machine code
  double shortLoads = 0;                  ///< loads of 1 or 2 bytes in the longest loop that works
  std::vector<codegen::LaunchTime> times; ///< of one launch, for each clock; its times are those of the whole
};

struct Prediction {
  PredictRequest request;
  std::vector<PredictedKernel> kernels;
  std::vector<double> microseconds; ///< of a token, for each clock
};

/// kUnsupported for an engine without machine code for SM 7.5, and where nvdisasm cannot be run.
Result<Prediction> predictT4(const Engine& engine, const PredictRequest& request);

nlohmann::ordered_json predictionJson(const Prediction& prediction);
std::string predictionText(const Prediction& prediction);

} // namespace llcuda::inspect
