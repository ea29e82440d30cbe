// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/mxfp4_blocks.h"

#include <algorithm>

#include "codegen/formats/mxfp4.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

constexpr size_t kBytes = sizeof(formats::BlockMXFP4::codes), kElements = 2 * kBytes;

/// Element i of a block as it is stored.
uint8_t codeAt(const std::byte* block, size_t i) {
  const auto both = std::to_integer<uint8_t>(block[i / 2]);
  return i % 2 == 0 ? both & 15 : both >> 4;
}

} // namespace

Result<Mxfp4Blocks> Mxfp4Blocks::open(const SafetensorsTensor& blocks, const SafetensorsTensor& scales) {
  for (const SafetensorsTensor* tensor : {&blocks, &scales})
    if (!tensor->is("U8"))
      return badInput("tensor ", Quoted{tensor->name}, " is ", tensor->type->name, ", MXFP4 is stored as U8");
  const std::vector<uint64_t>& shape = blocks.shape;
  if (shape.size() < 3 || shape.size() > 4 || shape.back() != kBytes || blocks.data.empty())
    return badInput("tensor ", Quoted{blocks.name}, " is not rows of blocks of ", kBytes, " bytes");
  if (!std::equal(scales.shape.begin(), scales.shape.end(), shape.begin(), shape.end() - 1))
    return badInput("tensor ", Quoted{scales.name}, " has not a scale for each block of ", Quoted{blocks.name});
  return Mxfp4Blocks(blocks, scales);
}

TensorInfo Mxfp4Blocks::describe(std::string name) const {
  TensorInfo info = {std::move(name), formats::TensorType::kMXFP4, {}};
  info.dims.assign(blocks->shape.rbegin() + 1, blocks->shape.rend());
  info.dims[0] *= kElements;
  return info;
}

Result<TensorBytes> Mxfp4Blocks::read() const {
  const auto made = std::make_shared<std::vector<formats::BlockMXFP4>>(scales->data.size());
  for (size_t i = 0; i < made->size(); ++i) {
    formats::BlockMXFP4& block = (*made)[i];
    block.exponent = std::to_integer<uint8_t>(scales->data[i]);
    if (block.exponent == 255)
      return badInput("tensor ", Quoted{scales->name}, " has a scale of 255, which is no number");
    const std::byte* const stored = blocks->data.data() + i * kBytes;
    for (size_t j = 0; j < kBytes; ++j)
      block.codes[j] = static_cast<uint8_t>(codeAt(stored, j) | codeAt(stored, j + kBytes) << 4);
  }
  return TensorBytes{formats::TensorType::kMXFP4, std::as_bytes(std::span(*made)), made};
}

} // namespace llcuda::ingest
