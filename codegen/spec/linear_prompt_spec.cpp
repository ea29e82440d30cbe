// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_prompt_spec.h"

#include "codegen/pack/pack.h"
#include "codegen/spec/source_text.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

/// Rows and columns of y that a block makes, and how its warps stand.
struct Tile {
  uint32_t rows, columns, warpsDown, warpsAcross;
  uint32_t threads() const { return warpsDown * warpsAcross * 32; }
};

/// Small chunks take tiles of their height; large ones the wide tile when that still fills the machine twice.
Tile chooseTile(const LinearPromptDesc& desc) {
  if (desc.layout == WeightLayout::kF32Rows)
    return desc.rows <= 32 ? Tile{32, 64, 2, 2} : Tile{64, 32, 4, 1};
  if (desc.rows <= 16)
    return {16, 128, 1, 4};
  if (desc.rows <= 32)
    return {32, 128, 1, 4};
  const uint32_t wideBlocks = divideUp(desc.rows, 64) * divideUp(desc.outputs, 128);
  return wideBlocks >= 2 * t4::kMultiprocessors ? Tile{64, 128, 2, 4} : Tile{64, 64, 2, 2};
}

} // namespace

Result<void> checkLinearPrompt(const LinearPromptDesc& desc) {
  if (desc.rows == 0 || desc.outputs == 0)
    return unsupported("a prompt linear of ", desc.rows, " rows and ", desc.outputs, " outputs");
  if (desc.inputs == 0 || desc.inputs % 32 != 0)
    return unsupported("a prompt linear of ", desc.inputs, " inputs; kernels exist for multiples of 32");
  if (desc.layout > WeightLayout::kQ8_0Planes)
    return unsupported("a prompt linear of ", pack::layoutName(desc.layout), " has no kernel");
  return {};
}

LaunchSpec linearPromptLaunch(const LinearPromptDesc& desc) {
  assert(checkLinearPrompt(desc));
  const Tile tile = chooseTile(desc);
  const bool int8Rows = weightReadsInt8Rows(desc.layout);
  const std::string tileText = listText(tile.rows, tile.columns, tile.warpsDown, tile.warpsAcross);
  const std::string shape = listText(desc.rows, desc.inputs, desc.outputs);
  const std::string output =
      std::string("{") + (desc.bias ? "bias" : "nullptr") + ", " + (desc.residual ? "residual" : "nullptr") + ", y}";
  KernelSpec kernel;
  kernel.op = "linear_prompt";
  kernel.format = pack::layoutFormat(desc.layout);
  kernel.shape = "r" + std::to_string(desc.rows) + "_k" + std::to_string(desc.inputs) + "_n" +
                 std::to_string(desc.outputs) + (desc.bias ? "_bias" : "") + (desc.residual ? "_residual" : "");
  kernel.tile =
      "r" + std::to_string(tile.rows) + "_n" + std::to_string(tile.columns) + "_t" + std::to_string(tile.threads());
  kernel.params = {{"weight", "const uint8_t*"}};
  if (int8Rows) {
    kernel.header = "codegen/kernels/linear/linear_prompt_s8.cuh";
    kernel.params.push_back({"x_codes", "const int8_t*"});
    kernel.params.push_back({"x_scales", "const float2*"});
    const std::string layout = "llcuda::WeightLayout(" + std::to_string(static_cast<unsigned>(desc.layout)) + ")";
    kernel.call = "linearPromptS8<" + listText(layout, shape, "llcuda::PromptLinearTile<" + tileText + ">") +
                  ">(weight, x_codes, x_scales, positions, " + output + ")";
  } else {
    const bool half = desc.layout == WeightLayout::kF16Rows;
    kernel.header =
        half ? "codegen/kernels/linear/linear_prompt_f16.cuh" : "codegen/kernels/linear/linear_prompt_f32.cuh";
    kernel.params.push_back({"x", "const float*"});
    kernel.call = std::string(half ? "linearPromptF16<" : "linearPromptF32<") + shape + ", llcuda::PromptLinearTile<" +
                  tileText + ">>(reinterpret_cast<const " + (half ? "llcuda::Half" : "float") +
                  "*>(weight), x, positions, " + output + ")";
  }
  kernel.params.push_back({"positions", "const int*"});
  if (desc.bias)
    kernel.params.push_back({"bias", "const float*"});
  if (desc.residual)
    kernel.params.push_back({"residual", "const float*"});
  kernel.params.push_back({"y", "float*", Access::kWrite});
  kernel.threads = tile.threads();
  // Two stages of 128 columns of bytes leave shared memory for one block.
  kernel.minBlocksPerSm = desc.layout == WeightLayout::kQ8_0Planes && tile.columns == 128 ? 1 : 2;
  return {kernel, {divideUp(desc.rows, tile.rows), divideUp(desc.outputs, tile.columns), 1}};
}

} // namespace llcuda::codegen
