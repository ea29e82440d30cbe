// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/rope_spec.h"

#include "codegen/spec/source_text.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kPageTokens = 64, kThreads = 128;

} // namespace

Result<void> checkRopeCache(const RopeCacheDesc& desc) {
  if (desc.pageTokens != kPageTokens)
    return unsupported("a cache with pages of ", desc.pageTokens, " tokens; kernels exist for ", kPageTokens);
  if (desc.kvHeads == 0 || desc.heads % desc.kvHeads != 0 || desc.heads / desc.kvHeads > 8)
    return unsupported("a cache of ", desc.kvHeads, " kv heads for ", desc.heads,
                       " heads; kernels exist for 1 to 8 each");
  if (desc.headSize == 0 || desc.headSize % 16 != 0 || desc.headSize > 256)
    return unsupported("a cache with heads of ", desc.headSize, "; kernels exist for multiples of 16 up to 256");
  if (desc.dimensions % 2 != 0 || desc.dimensions > desc.headSize)
    return unsupported("rope over ", desc.dimensions, " elements of heads of ", desc.headSize);
  return {};
}

LaunchSpec ropeCacheLaunch(const RopeCacheDesc& desc) {
  assert(checkRopeCache(desc));
  const uint32_t pages = (desc.maxContext + kPageTokens - 1) / kPageTokens;
  KernelSpec kernel;
  kernel.op = "rope_cache";
  kernel.format = "f16";
  kernel.shape = "h" + std::to_string(desc.heads) + "_g" + std::to_string(desc.kvHeads) + "_d" +
                 std::to_string(desc.headSize) + "_n" + std::to_string(desc.dimensions) + "_c" +
                 std::to_string(desc.maxContext);
  kernel.tile = "t" + std::to_string(kThreads);
  kernel.header = "codegen/kernels/rope/rope_cache.cuh";
  kernel.params = {{"q", "const float*"}, {"k", "const float*"}, {"v", "const float*"}};
  if (desc.dimensions != 0)
    kernel.params.push_back({"rope_table", "const float2*"});
  const std::vector<Param> rest = {{"positions", "const int*"},
                                   {"slots", "const int*"},
                                   {"block_table", "const int*"},
                                   {"q_rotated", "llcuda::Half*", Access::kWrite},
                                   {"k_pages", "llcuda::Half*", Access::kWrite},
                                   {"v_pages", "llcuda::Half*", Access::kWrite}};
  kernel.params.insert(kernel.params.end(), rest.begin(), rest.end());
  kernel.call = "ropeCache<llcuda::AttentionShape<" + listText(desc.heads, desc.kvHeads, desc.headSize, pages, 0) +
                ">, " + std::to_string(desc.dimensions) + ">(q, k, v, " +
                (desc.dimensions != 0 ? "rope_table" : "nullptr") +
                ", positions, slots, block_table, q_rotated, k_pages, v_pages)";
  kernel.threads = kThreads;
  return {kernel, {desc.rows, 1, 1}};
}

} // namespace llcuda::codegen
