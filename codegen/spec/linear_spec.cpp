// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_spec.h"

#include <algorithm>
#include <cassert>

#include "codegen/spec/decode_tile.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"
#include "codegen/spec/prompt_tile.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kLowRankBlockRows = 4; // kLowRankRows of decode_low_rank.cuh

bool isGated(const LinearDesc& desc) {
  return std::holds_alternative<GateRows>(desc.epilogue);
}

uint32_t allOutputs(const LinearDesc& desc) {
  uint32_t outputs = 0;
  for (const LinearPart& part : desc.parts) outputs += part.outputs;
  return outputs;
}

/// A kernel: its op, which is its header's name, and the function that it calls.
struct Kernel {
  const char *op, *header, *function;
};

constexpr Kernel kLinear = {"linear", "codegen/kernels/linear/linear.cuh", "linear"};
constexpr Kernel kQkvLinear = {"qkv_linear", "codegen/kernels/linear/qkv_linear.cuh", "qkvLinear"};
constexpr Kernel kLinearPrompt = {"linear_prompt", "codegen/kernels/linear/linear_prompt.cuh", "linearPrompt"};
constexpr Kernel kQkvPrompt = {"qkv_prompt", "codegen/kernels/linear/qkv_prompt.cuh", "qkvPrompt"};
constexpr Kernel kNormed = {"linear_residual_norm", "codegen/kernels/linear/linear_residual_norm.cuh",
                            "linearResidualNorm"};
constexpr Kernel kGlu = {"glu_linear", "codegen/kernels/glu/glu_linear.cuh", "gluLinear"};
constexpr Kernel kGluPrompt = {"glu_linear_prompt", "codegen/kernels/glu/glu_linear_prompt.cuh", "gluLinearPrompt"};
constexpr Kernel kTimes = {"linear_glu", "codegen/kernels/glu/linear_glu.cuh", "linearGlu"};
constexpr Kernel kRopeCache = {"qkv_rope_cache", "codegen/kernels/linear/qkv_rope_cache.cuh", "qkvRopeCache"};

Kernel kernelOf(const LinearDesc& desc, const StoreRows&) {
  const bool isOne = desc.parts.size() == 1;
  return desc.hasFewRows() ? (isOne ? kLinear : kQkvLinear) : (isOne ? kLinearPrompt : kQkvPrompt);
}
Kernel kernelOf(const LinearDesc&, const NormRows&) {
  return kNormed;
}
Kernel kernelOf(const LinearDesc& desc, const GateRows&) {
  return desc.hasFewRows() ? kGlu : kGluPrompt;
}
Kernel kernelOf(const LinearDesc&, const TimesRows&) {
  return kTimes;
}
Kernel kernelOf(const LinearDesc&, const RopeCacheRows&) {
  return kRopeCache;
}
Kernel kernelOf(const LinearDesc& desc) {
  return std::visit([&](const auto& epilogue) { return kernelOf(desc, epilogue); }, desc.epilogue);
}

/// Of layouts that a launch has in one kernel the one that takes the most registers.
WeightLayout largestLayout(const LinearDesc& desc) {
  const auto bytes = [](const LinearPart& part) {
    const WeightBlockBytes block = weightBlockBytes(part.layout);
    return (block.codes + block.high) * kWeightBlock / block.columns;
  };
  return std::ranges::max(desc.parts, {}, bytes).layout;
}

DecodeTileRequest decodeRequest(const LinearDesc& desc) {
  return {.layout = largestLayout(desc),
          .inputRows = desc.rows,
          .columns = desc.inputs,
          .outputs = isGated(desc) ? desc.parts[0].outputs : allOutputs(desc),
          .weights = isGated(desc) ? 2u : 1u};
}

PromptTileRequest promptRequest(const LinearDesc& desc) {
  PromptTileRequest request = {
      .layouts = {}, .rows = desc.rows, .inputs = desc.inputs, .columns = allOutputs(desc), .gated = isGated(desc)};
  for (const LinearPart& part : desc.parts) request.layouts.push_back(part.layout);
  if (request.gated)
    request.layouts.pop_back(); // it is up's too
  return request;
}

void addWeights(KernelBuilder& kernel, const LinearDesc& desc) {
  const std::vector<LinearPart>& parts = desc.parts;
  if (parts.size() == 1 || (isGated(desc) && !desc.hasFewRows()))
    kernel.constants({layout(parts[0].layout)});
  else if (parts.size() == 2)
    kernel.group("GluWeights", {{"gate", layout(parts[0].layout)}, {"up", layout(parts[1].layout)}});
  else
    kernel.group("QkvWeights",
                 {{"q", layout(parts[0].layout)}, {"k", layout(parts[1].layout)}, {"v", layout(parts[2].layout)}});
}

void addShape(KernelBuilder& kernel, const LinearDesc& desc) {
  Members members = {{"m", number("m", desc.rows)}};
  if (desc.parts.size() == 3) {
    members.push_back({"qN", number("n", desc.parts[0].outputs)});
    members.push_back({"kvN", number("kv", desc.parts[1].outputs)});
  } else {
    members.push_back({"n", number("n", desc.parts[0].outputs)});
  }
  members.push_back({"k", number("k", desc.inputs)});
  kernel.group(desc.parts.size() == 3 ? "QkvLinearShape" : "LinearShape", members);
}

/// The template arguments that come after the cut.
void addConstants(KernelBuilder& kernel, const LinearDesc& desc, const StoreRows& epilogue) {
  if (desc.hasFewRows())
    kernel.group("LinearParts", {{"bias", flag("bias", desc.bias)},
                                 {"residual", flag("residual", epilogue.residual)},
                                 {"cap", flag("cap", epilogue.softcap != 0)}});
}
void addConstants(KernelBuilder& kernel, const LinearDesc& desc, const NormRows& epilogue) {
  Members parts = {{"bias", flag("bias", desc.bias)}, {"postNorm", flag("post", epilogue.postNorm)}};
  if (!epilogue.sum.isPlain())
    parts.push_back({"sum", asMember(sumForm(epilogue.sum))});
  kernel.group("ResidualNormParts", parts);
  kernel.group("RowForms", rowForms(epilogue.f32Rows, epilogue.int8Rows, rowOrderOf(desc.kernels, desc.rows)));
}
void addConstants(KernelBuilder& kernel, const LinearDesc& desc, const GateRows& epilogue) {
  kernel.constants({activation(epilogue.activation)});
  kernel.group("RowForms", rowForms(epilogue.f32Rows, epilogue.int8Rows, rowOrderOf(desc.kernels, desc.rows)));
}
void addConstants(KernelBuilder& kernel, const LinearDesc& desc, const TimesRows& epilogue) {
  kernel.constants({activation(epilogue.activation)});
  kernel.group("RowView", rowView(epilogue.up));
  kernel.group("RowForms", rowForms(epilogue.f32Rows, epilogue.int8Rows, rowOrderOf(desc.kernels, desc.rows)));
}
void addConstants(KernelBuilder& kernel, const LinearDesc& desc, const RopeCacheRows& epilogue) {
  kernel.group("RopeCacheParts", {{"bias", flag("bias", desc.bias)},
                                  {"headSize", number("d", epilogue.headSize)},
                                  {"dimensions", number("turn", epilogue.dimensions)},
                                  {"tablePages", number("p", epilogue.cache.tablePages())},
                                  {"keyType", kvType(epilogue.cache.keyType)},
                                  {"valueType", kvType(epilogue.cache.valueType)}});
}

/// The parameters that come after the biases.
void addBuffers(KernelBuilder& kernel, const LinearDesc& desc, const StoreRows& epilogue) {
  if (desc.parts.size() == 1) {
    kernel.input("residual", "const float*", epilogue.residual).output("y", "float*");
    if (epilogue.softcap != 0)
      kernel.value(real("c", epilogue.softcap));
    else if (desc.lowRank != 0 && desc.hasFewRows())
      kernel.value({"0.f", ""}); // its place before the last argument
  } else {
    for (const char* name : {"q", "k", "v"}) kernel.output(name, "float*");
  }
}
void addBuffers(KernelBuilder& kernel, const LinearDesc&, const NormRows& epilogue) {
  kernel.input("residual", "const float*").input("post_scale", "const float*", epilogue.postNorm);
  kernel.input("norm_scale", "const float*", !epilogue.sum.copied).inOut("arrivals", "uint32_t*");
  kernel.output("product", "float*", epilogue.postNorm).output("y", "float*");
  kernel.outputRows("normed", epilogue.f32Rows, epilogue.int8Rows).value(real("e", epilogue.eps));
}
void addBuffers(KernelBuilder& kernel, const LinearDesc&, const GateRows& epilogue) {
  kernel.outputRows("y", epilogue.f32Rows, epilogue.int8Rows);
}
void addBuffers(KernelBuilder& kernel, const LinearDesc&, const TimesRows& epilogue) {
  kernel.input("up", "const float*").outputRows("y", epilogue.f32Rows, epilogue.int8Rows);
}
void addBuffers(KernelBuilder& kernel, const LinearDesc&, const RopeCacheRows& epilogue) {
  kernel.input("rope_table", "const float2*", epilogue.dimensions != 0);
  kernel.input("positions", "const int*").input("slots", "const int*").input("block_table", "const int*");
  kernel.output("q", "float*").inOut("k_pages", "uint8_t*").inOut("v_pages", "uint8_t*");
}

/// The last template argument and the last argument.
void addLowRank(KernelBuilder& kernel, const LinearDesc& desc) {
  if (desc.lowRank == 0)
    return;
  const bool makesLow = desc.hasFewRows();
  kernel.constants({number("low", desc.lowRank)});
  kernel.open("LowRank");
  if (makesLow)
    kernel.output("low", "float*");
  else
    kernel.input("low", "float*");
  kernel.input("low_inner", "const uint8_t*", makesLow).inOut("low_counts", "uint32_t*", makesLow);
  const auto names = linearPartNames(desc.parts.size());
  for (size_t i = 0; i < names.size(); ++i)
    kernel.input(std::string(names[i]) + "low_weight", "const uint8_t*", desc.parts[i].lowRank);
  kernel.close();
}

/// Constants, then parameters, in the order of linear_spec.h.
KernelBuilder described(const LinearDesc& desc, const char* cutType, const Members& cut) {
  const Kernel which = kernelOf(desc);
  KernelBuilder kernel(which.op, which.header);
  addWeights(kernel, desc);
  addShape(kernel, desc);
  kernel.group(cutType, cut);
  std::visit([&](const auto& epilogue) { addConstants(kernel, desc, epilogue); }, desc.epilogue);
  const auto names = linearPartNames(desc.parts.size());
  for (const char* name : names) kernel.input(std::string(name) + "weight", "const uint8_t*");
  const RowsRead rows = rowsRead(desc);
  kernel.inputRows(rows.f32, rows.int8);
  if (!desc.hasFewRows())
    kernel.inputHalfRows(rows.halves).input("positions", "const int*");
  if (!isGated(desc) && !std::holds_alternative<TimesRows>(desc.epilogue))
    for (const char* name : names) kernel.input(std::string(name) + "bias", "const float*", desc.bias);
  std::visit([&](const auto& epilogue) { addBuffers(kernel, desc, epilogue); }, desc.epilogue);
  addLowRank(kernel, desc);
  return kernel;
}

/// Blocks of so many outputs that cover each part, of which gate and up are one.
uint32_t blocksOf(const LinearDesc& desc, uint32_t outputs) {
  if (isGated(desc))
    return divideUp(desc.parts[0].outputs, outputs);
  uint32_t blocks = 0;
  for (const LinearPart& part : desc.parts) blocks += divideUp(part.outputs, outputs);
  return blocks;
}

} // namespace

std::span<const char* const> linearPartNames(size_t parts) {
  static constexpr const char *kOne[] = {""}, *kGlu[] = {"gate_", "up_"}, *kQkv[] = {"q_", "k_", "v_"};
  if (parts == 1)
    return kOne;
  return parts == 2 ? std::span<const char* const>(kGlu) : kQkv;
}

const char* linearOp(const LinearDesc& desc) {
  return kernelOf(desc).op;
}

RowsRead rowsRead(const LinearDesc& desc) {
  RowsRead read;
  for (const LinearPart& part : desc.parts) {
    if (weightReadsInt8Rows(part.layout))
      read.int8 = true;
    else if (!desc.hasFewRows() && weightFacts(part.layout).product == WeightProduct::kHalves)
      read.halves = true;
    else
      read.f32 = true;
  }
  read.f32 |= desc.lowRank != 0 && desc.hasFewRows();
  return read;
}

LaunchSpec linearLaunch(const LinearDesc& desc, const TileTable& tiles) {
  assert(checkLinear(desc));
  const char* function = kernelOf(desc).function;
  if (desc.hasFewRows()) {
    const DecodeTileRequest request = decodeRequest(desc);
    DecodeTile tile = chooseDecodeTile(request, tiles);
    if ((desc.bias || desc.lowRank != 0) && desc.rows > kMostRowsOfLanes) // which take registers, too
      tile.minBlocksPerSm = std::min(tile.minBlocksPerSm, std::max(1u, 512 / tile.threads(request)));
    KernelBuilder kernel = described(desc, "DecodeCut", tile.members());
    return {kernel.build(function, tile.threads(request), tile.minBlocksPerSm),
            {desc.lowRank / kLowRankBlockRows + blocksOf(desc, kWeightTileRows), 1, 1},
            workOf(desc),
            request};
  }
  const PromptTileRequest request = promptRequest(desc);
  const PromptTile tile = choosePromptTile(request, tiles);
  KernelBuilder kernel = described(desc, "PromptCut", tile.members());
  const uint32_t across = isGated(desc) ? tile.columns / 2 : tile.columns; // half of a tile is the gate's
  return {kernel.build(function, tile.threads(), tile.minBlocksPerSm),
          {divideUp(desc.rows, tile.rows), blocksOf(desc, across), 1},
          workOf(desc),
          request};
}

} // namespace llcuda::codegen
