// SPDX-License-Identifier: Apache-2.0
// What the steps of an engine take on a T4, from the engine's own sm_75 machine code. Predicted, not measured.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "codegen/sass/predictor.h"
#include "runtime/engine/engine.h"

namespace llcuda::inspect {

struct PredictRequest {
  std::vector<double> megahertz = {1590, 1100, 800}; ///< clocks of the multiprocessors
  uint32_t context = 512;                            ///< positions in the cache of each sequence that decodes
  std::string nvdisasm;                              ///< path of the disassembler
  codegen::T4Machine machine;
  std::vector<std::string> notes; ///< on the machine, for the reports
};

/// One step of an engine.
struct StepPrediction {
  std::string test; ///< as llcuda-bench names it: "tg", "tg @ d4096", "pp512", "batch 8"
  codegen::Prediction step;
  /// Microseconds of the launches that multiply weights, and of llama.cpp's in the same model (peer_loops.h), for each
  /// clock; empty where those of one are not known, as in an engine that does not name its weights (one of --weights
  /// ref does).
  std::vector<double> linears, peerLinears;
};

/// The step of one sequence at the context first, then deeper ones, batches and a whole prompt phase, as far as the
/// engine has phases and context for them. kUnsupported for an engine without machine code for SM 7.5, and where
/// nvdisasm cannot be run.
Result<std::vector<StepPrediction>> predictT4(const Engine& engine, const PredictRequest& request);

nlohmann::ordered_json predictionJson(const std::vector<StepPrediction>& steps, const PredictRequest& request);
std::string predictionText(const std::vector<StepPrediction>& steps, const PredictRequest& request);

} // namespace llcuda::inspect
