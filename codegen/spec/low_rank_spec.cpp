// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/low_rank_spec.h"

#include <algorithm>
#include <cassert>

#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kBlockRows = 4; // kLowRankRows of low_rank.cuh
constexpr uint32_t kMaxInputs = 1u << 17, kMaxRank = 4096;

/// A warp for each load of 64 inputs, up to 16 warps.
uint32_t threadsOf(const LowRankDesc& desc) {
  return std::clamp(divideUp(desc.inputs, 64), 1u, 16u) * 32;
}

} // namespace

Result<void> checkLowRank(const LowRankDesc& desc) {
  if (desc.rows == 0 || desc.rows > kMaxDecodeRows)
    return unsupported("low_rank of ", desc.rows, " rows; kernels exist for 1 to ", kMaxDecodeRows);
  if (desc.inputs == 0 || desc.inputs % kWeightBlock != 0 || desc.inputs > kMaxInputs)
    return unsupported("low_rank of ", desc.inputs, " inputs; kernels exist for multiples of 32 up to ", kMaxInputs);
  if (desc.rank == 0 || desc.rank % kWeightBlock != 0 || desc.rank > kMaxRank)
    return unsupported("low_rank of rank ", desc.rank, "; kernels exist for multiples of 32 up to ", kMaxRank);
  return {};
}

LaunchSpec lowRankLaunch(const LowRankDesc& desc) {
  assert(checkLowRank(desc));
  const uint32_t threads = threadsOf(desc);
  KernelBuilder kernel("low_rank", "codegen/kernels/linear/low_rank.cuh");
  kernel.group("LowRankShape",
               {{"m", number("m", desc.rows)}, {"rank", number("n", desc.rank)}, {"k", number("k", desc.inputs)}});
  kernel.constants({number("t", threads)});
  kernel.input("a", "const uint8_t*").input("x", "const float*").output("low", "float*");
  return {kernel.build("lowRank", threads), {desc.rank / kBlockRows, 1, 1}, workOf(desc)};
}

} // namespace llcuda::codegen
