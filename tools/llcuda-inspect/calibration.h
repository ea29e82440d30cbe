// SPDX-License-Identifier: Apache-2.0
// What was measured of a T4, for the model of one.
#pragma once

#include <string>
#include <vector>

#include "codegen/sass/predictor.h"
#include "runtime/base/result.h"

namespace llcuda::inspect {

struct Calibration {
  codegen::T4Machine machine;
  std::vector<std::string> notes; ///< where it was measured, and each constant that is far from the model's
};

/// Of a file that llcuda-calibrate wrote, or of the results of tools/bench/t4_bench.py, which hold such an object.
/// kBadInput: it is neither, a number is missing or can be none of such a GPU, or nothing was timed.
Result<Calibration> readCalibration(const std::string& path);

} // namespace llcuda::inspect
