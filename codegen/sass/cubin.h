// SPDX-License-Identifier: Apache-2.0
// What a cubin says of its kernels besides their machine code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codegen/sass/block_run.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct CubinKernel {
  std::string name;
  uint32_t registers = 0;
  uint32_t sharedBytes = 0;   ///< static
  uint32_t threads = 0;       ///< the largest block by its launch bounds; 0: not said
  uint32_t paramBase = 0x160; ///< where parameters begin in constant bank 0
  struct Param {
    uint32_t offset, bytes; ///< among the parameters
  };
  std::vector<Param> params;
};

bool isCubin(std::span<const std::byte> file);

/// Reads an ELF file of 64 bits of machine EM_CUDA; kBadInput for anything else, or a table outside the file.
Result<std::vector<CubinKernel>> readCubin(std::span<const std::byte> file);

/// A launch of blocks of `threads` in which every parameter of 8 bytes is the address of memory of its own; others are
/// not known.
SassLaunch launchOf(const CubinKernel& kernel, uint32_t threads);

} // namespace llcuda::codegen
