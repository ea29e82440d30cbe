// SPDX-License-Identifier: Apache-2.0
// What instructions cost on SM 7.5: which unit of a multiprocessor they occupy, and for how long.
//
// A multiprocessor has four sub-partitions; cycles are of one of them. FP32, integer multiplies and dp4a share 16
// lanes, 2 cycles a warp; logic, shifts and integer adds have 16 of their own. Special functions and conversions
// between integers and floats have 4, 8 cycles; F2F 4. The tensor core does IMMA.8816 in 4 cycles, HMMA.1688 in 8, and
// f16x2 arithmetic in 2. Shared memory and the L1 cache serve the whole multiprocessor through one path of 64 bytes a
// clock: 128 bytes, a 32-bit access of a warp, are 2 clocks of it or 8 cycles of a sub-partition's share, 64-bit
// accesses 16, 128-bit ones and LDSM.x4 32.
//
// Sources: measurements of SM 7.5 in connollydavid/tu102 (table tu102_ops.csv), Jia et al. 2019 (arXiv 1903.07486).
// An access whose addresses are known takes what block_run.h says. What is left out: register banks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codegen/sass/sass_listing.h"

namespace llcuda::codegen {

enum class SassPipe : uint8_t { kFma, kAlu, kSpecial, kTensor, kPath, kControl };
constexpr size_t kSassPipes = 6;
inline constexpr double kPathBytesPerCycle = 16; ///< a sub-partition's share of the path
std::string_view sassPipeName(SassPipe pipe);

/// What multiplies, the fastest first: a loop advances by the first that it has. IMMA, HMMA, IDP.4A, HFMA2, FFMA.
enum class SassProduct : uint8_t { kTensorInt8, kTensorF16, kDp4a, kHalves, kFp32 };
constexpr size_t kSassProducts = 5;

/// Sums over instructions of one warp.
struct SassCost {
  double instructions = 0;
  std::array<double, kSassPipes> cycles{};          ///< of a sub-partition's units
  double globalLoadBytes = 0;                       ///< of a warp
  std::array<double, kSassProducts> multiplyAdds{}; ///< of a warp
  double shortGlobalLoads = 0;                      ///< of 1 or 2 bytes a lane

  SassCost& operator+=(const SassCost& other);
  friend SassCost operator*(SassCost cost, double factor);
};

SassCost costOf(const SassInstruction& instruction);
/// Bytes of a path of 64 or 128 bytes a cycle that a warp's instruction takes: by its addresses where they are known,
/// else by its width; 0 where it is not of the path.
double pathBytesOf(const SassInstruction& instruction, uint32_t path);
/// Instructions first ... last - 1 of a listing.
SassCost costOf(const SassListing& listing, size_t first, size_t last);

} // namespace llcuda::codegen
