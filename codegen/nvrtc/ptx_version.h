// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace llcuda::codegen {

/// The PTX language that kernels keep to: the oldest with every instruction of codegen/kernels/ptx (cache hints on
/// loads need 7.4, movmatrix 7.8). Drivers since CUDA 11.8 read it.
inline constexpr int kPtxMajor = 7, kPtxMinor = 8;

/// NVRTC writes its own newest PTX version into the text, which older drivers refuse, though the kernels use nothing of
/// it. This puts the version above in its place where the text claims a later one, and takes out the one directive of
/// later versions that NVRTC writes unasked: `.pragma "used_bytes_mask ..."`, a hint (PTX 8.3).
std::string withPlainPtxVersion(std::string ptx);

} // namespace llcuda::codegen
