// SPDX-License-Identifier: Apache-2.0
// Loops of kernels on a simulated multiprocessor (codegen/sass/multiprocessor.h). Predicted, not measured.
#pragma once

#include <map>
#include <string>

#include "runtime/engine/engine.h"

namespace llcuda::inspect {

struct SimulateRequest {
  std::string chip = "t4";                ///< or "h200"
  std::string kernel;                     ///< part of the names of the kernels that are wanted; empty: all
  uint32_t warps = 0;                     ///< of a block; 0: as the engine, or a cubin's launch bounds, say
  uint32_t blocks = 0;                    ///< beside each other; 0: as many as fit
  std::map<uint32_t, uint32_t> constants; ///< of a cubin's kernel: of bank 0, by offset
  bool byWidth = false;                   ///< accesses take the path by their width, not by their addresses
  std::string nvdisasm;                   ///< path of the disassembler
};

/// A line for each loop that multiplies or loads. kUnsupported for an engine without machine code for SM 7.5, and where
/// nvdisasm cannot be run; kUsage where no kernel has the name.
Result<std::string> simulateEngine(const Engine& engine, const SimulateRequest& request);
/// Of a cubin.
Result<std::string> simulateCubin(std::span<const std::byte> cubin, const SimulateRequest& request);

} // namespace llcuda::inspect
