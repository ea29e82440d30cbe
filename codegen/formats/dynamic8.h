// SPDX-License-Identifier: Apache-2.0
// bitsandbytes' dynamic map of 8 bits, in which it keeps the magnitudes of 4-bit blocks: 256 values from -1 to 1 whose
// distance grows with them. Dettmers et al. 2021, "8-bit Optimizers via Block-wise Quantization", section 2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace llcuda::formats {

/// Ascending.
const std::array<float, 256>& dynamic8Values();

/// Codes of a block of finite values, and the largest magnitude, by which they are divided first. A quotient is rounded
/// to one of 65536 places between -1 and 1 before its nearest value is taken, as bitsandbytes does on processors.
float quantizeDynamic8(const float* values, std::size_t elements, uint8_t* codes);

} // namespace llcuda::formats
