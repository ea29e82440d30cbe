// SPDX-License-Identifier: Apache-2.0
// What instructions cost on SM 7.5: which unit of a multiprocessor they occupy, and for how long.
//
// Rates are per sub-partition, of which a multiprocessor has four: 16 lanes of FP32 and of integer arithmetic and 32 of
// f16x2, so that a warp takes 2 cycles there (f16x2: 1 of issue, 2 of the unit); 4 lanes of special functions and of
// conversions between integers and floats, 8 cycles; one tensor core: HMMA.1688 8 cycles, IMMA.8816 4. Loads and stores
// share 16 lanes of the whole multiprocessor, 2 cycles. Sources: Jia et al. 2019 (arXiv 1903.07486), NVIDIA's tables of
// arithmetic throughput; a model, good to some 20 %.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codegen/sass/sass_listing.h"

namespace llcuda::codegen {

enum class SassPipe : uint8_t { kFp32, kInteger, kHalf, kSpecial, kTensor, kMemory, kControl };
constexpr size_t kSassPipes = 7;
std::string_view sassPipeName(SassPipe pipe);

/// Sums over instructions of one warp.
struct SassCost {
  double instructions = 0;
  std::array<double, kSassPipes> cycles{}; ///< of a sub-partition's units
  double globalLoadBytes = 0;              ///< of a warp
  double multiplyAdds = 0;                 ///< of a warp, by dp4a, f16x2, or tensor cores
  double fp32MultiplyAdds = 0;             ///< of a warp
  double shortGlobalLoads = 0;             ///< of 1 or 2 bytes a lane

  SassCost& operator+=(const SassCost& other);
  friend SassCost operator*(SassCost cost, double factor);
};

SassCost costOf(const SassInstruction& instruction);
/// Instructions first ... last - 1 of a listing.
SassCost costOf(const SassListing& listing, size_t first, size_t last);

} // namespace llcuda::codegen
