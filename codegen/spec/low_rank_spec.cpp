// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/low_rank_spec.h"

#include <algorithm>
#include <cassert>

#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kTileRows = 16, kTileColumns = 32, kChunkInputs = 32; // of low_rank_prompt.cuh
constexpr uint32_t kMaxRows = 1u << 16, kMaxInputs = 1u << 17, kMaxRank = 4096;

} // namespace

Result<void> checkLowRank(const LowRankDesc& desc) {
  if (desc.rows == 0 || desc.rows > kMaxRows)
    return unsupported("low_rank of ", desc.rows, " rows; kernels exist for 1 to ", kMaxRows);
  if (desc.inputs == 0 || desc.inputs % kWeightBlock != 0 || desc.inputs > kMaxInputs)
    return unsupported("low_rank of ", desc.inputs, " inputs; kernels exist for multiples of 32 up to ", kMaxInputs);
  if (desc.rank == 0 || desc.rank % kWeightBlock != 0 || desc.rank > kMaxRank)
    return unsupported("low_rank of rank ", desc.rank, "; kernels exist for multiples of 32 up to ", kMaxRank);
  if (uint64_t{desc.rows} * desc.inputs >= uint64_t{1} << 31)
    return unsupported("low_rank of ", desc.rows, " rows of ", desc.inputs, " inputs: more than 2^31 elements");
  return {};
}

LaunchSpec lowRankLaunch(const LowRankDesc& desc) {
  assert(checkLowRank(desc));
  const uint32_t threads = std::clamp(desc.inputs / kChunkInputs, 1u, 16u) * 32; // each warp has a chunk
  KernelBuilder kernel("low_rank_prompt", "codegen/kernels/linear/low_rank_prompt.cuh");
  kernel.group("LowRankShape",
               {{"m", number("m", desc.rows)}, {"rank", number("n", desc.rank)}, {"k", number("k", desc.inputs)}});
  kernel.constants({number("t", threads)});
  kernel.input("a", "const uint8_t*").input("x", "const float*").input("positions", "const int*");
  kernel.output("low", "float*");
  return {kernel.build("lowRankPrompt", threads),
          {divideUp(desc.rows, kTileRows), desc.rank / kTileColumns, 1},
          workOf(desc)};
}

} // namespace llcuda::codegen
