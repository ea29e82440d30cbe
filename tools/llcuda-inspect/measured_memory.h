// SPDX-License-Identifier: Apache-2.0
// What a session takes of a device besides what its plan counts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/result.h"
#include "runtime/exec/device.h"

namespace llcuda::inspect {

struct MeasuredMemory {
  std::string device;
  uint64_t context = 0; ///< in use once there is a CUDA context; what other programs hold is in it
  uint64_t besides = 0; ///< modules, graphs, and what the driver rounds up
  uint32_t graphs = 0;
};

/// Loads the engine there and captures all its graphs. kAuto: a GPU, no other. An error says why it was not measured.
Result<MeasuredMemory> measureMemory(std::shared_ptr<const Engine> engine, uint32_t positions, uint32_t slots,
                                     DeviceChoice choice, int index);

} // namespace llcuda::inspect
