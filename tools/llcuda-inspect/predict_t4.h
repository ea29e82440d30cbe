// SPDX-License-Identifier: Apache-2.0
// What a token of an engine takes on a T4, from the engine's own sm_75 machine code. Predicted, not measured.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "codegen/sass/predictor.h"
#include "runtime/engine/engine.h"

namespace llcuda::inspect {

struct PredictRequest {
  std::vector<double> megahertz = {1590, 1100, 800}; ///< clocks of the multiprocessors
  uint32_t context = 512;                            ///< positions in the cache
  std::string nvdisasm;                              ///< path of the disassembler
};

/// The decode phase for one row. kUnsupported for an engine without machine code for SM 7.5, and where nvdisasm cannot
/// be run.
Result<codegen::Prediction> predictT4(const Engine& engine, const PredictRequest& request);

nlohmann::ordered_json predictionJson(const codegen::Prediction& prediction, const PredictRequest& request);
std::string predictionText(const codegen::Prediction& prediction, const PredictRequest& request);

} // namespace llcuda::inspect
