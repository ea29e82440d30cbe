// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/bnb_int8.h"

#include <cmath>
#include <cstring>

#include "codegen/formats/q8_0.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {

using formats::TensorType;

Result<BnbInt8> BnbInt8::open(std::string name, const BnbInt8Parts& parts) {
  BnbInt8 layer(std::move(name), parts);
  if (parts.codes.size() != parts.rows * parts.columns)
    return badInput(Quoted{layer.name}, ": the weight has ", parts.codes.size(), " bytes, ", parts.rows, "x",
                    parts.columns, " int8 values need ", parts.rows * parts.columns);
  if (parts.scales.size() != parts.rows * sizeof(float))
    return badInput(Quoted{layer.name}, ": SCB has ", parts.scales.size(), " bytes, ", parts.rows, " rows need ",
                    parts.rows * sizeof(float));
  if (!parts.weightFormat.empty() && parts.weightFormat[0] != std::byte{0})
    return unsupported(Quoted{layer.name}, ": weight_format is ", static_cast<int>(parts.weightFormat[0]),
                       ", a layout of some GPU; this version reads row-major weights, format 0");
  for (uint64_t row = 0; row < parts.rows; ++row)
    if (!std::isfinite(layer.scale(row)))
      return badInput(Quoted{layer.name}, ": SCB[", row, "] is not finite");
  layer.answered = layer.fitsQ8_0() ? TensorType::kQ8_0 : TensorType::kF32;
  return layer;
}

float BnbInt8::scale(uint64_t row) const {
  float largest;
  std::memcpy(&largest, parts.scales.data() + row * sizeof largest, sizeof largest);
  return largest / 127;
}

bool BnbInt8::fitsQ8_0() const {
  constexpr float kSmallestNormal = 0x1p-14f, kLargest = 65504;
  if (parts.columns % 32 != 0)
    return false;
  for (uint64_t row = 0; row < parts.rows; ++row) {
    const float magnitude = std::fabs(scale(row));
    if (magnitude != 0 && (magnitude < kSmallestNormal || magnitude > kLargest))
      return false;
  }
  return true;
}

Result<TensorBytes> BnbInt8::read() const {
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(answered);
  const uint64_t rowBytes = parts.columns / info.blockElements * info.blockBytes;
  auto rows = std::make_shared<std::vector<std::byte>>(parts.rows * rowBytes);
  for (uint64_t row = 0; row < parts.rows; ++row) {
    std::byte* out = rows->data() + row * rowBytes;
    answered == TensorType::kQ8_0 ? writeBlocks(row, out) : writeValues(row, out);
  }
  return TensorBytes{answered, *rows, rows};
}

void BnbInt8::writeBlocks(uint64_t row, std::byte* out) const {
  formats::BlockQ8_0 block;
  block.d = formats::floatToHalf(scale(row));
  const std::byte* codes = parts.codes.data() + row * parts.columns;
  for (uint64_t column = 0; column < parts.columns; column += 32, out += sizeof block) {
    std::memcpy(block.codes, codes + column, 32);
    std::memcpy(out, &block, sizeof block);
  }
}

void BnbInt8::writeValues(uint64_t row, std::byte* out) const {
  const std::byte* codes = parts.codes.data() + row * parts.columns;
  for (uint64_t column = 0; column < parts.columns; ++column) {
    const float value = static_cast<float>(static_cast<int8_t>(codes[column])) * scale(row);
    std::memcpy(out + column * sizeof value, &value, sizeof value);
  }
}

} // namespace llcuda::ingest
