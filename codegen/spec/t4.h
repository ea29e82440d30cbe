// SPDX-License-Identifier: Apache-2.0
// The numbers of the GPU that kernels are specialised for: TU104 as the T4 has it.
#pragma once

#include <cstdint>

namespace llcuda::codegen::t4 {

inline constexpr uint32_t kMultiprocessors = 40;
inline constexpr uint32_t kThreadsPerMultiprocessor = 1024;
inline constexpr uint32_t kRegistersPerMultiprocessor = 65536;
inline constexpr uint32_t kBlocksPerMultiprocessor = 16;
inline constexpr uint32_t kThreadsPerBlock = 1024;
inline constexpr uint32_t kRegistersPerThread = 255;
inline constexpr uint32_t kSharedBytesPerMultiprocessor = 64 * 1024; ///< also the most that one block may ask for
inline constexpr uint32_t kStaticSharedBytes = 48 * 1024;            ///< per block, without opting in to more

} // namespace llcuda::codegen::t4
