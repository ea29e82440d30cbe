// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/dequantize.h"

#include <cassert>
#include <cstring>
#include <type_traits>

#include "codegen/formats/iq1_m.h"
#include "codegen/formats/iq1_s.h"
#include "codegen/formats/iq2_s.h"
#include "codegen/formats/iq2_xs.h"
#include "codegen/formats/iq2_xxs.h"
#include "codegen/formats/iq3_s.h"
#include "codegen/formats/iq3_xxs.h"
#include "codegen/formats/iq4_nl.h"
#include "codegen/formats/iq4_xs.h"
#include "codegen/formats/mxfp4.h"
#include "codegen/formats/nf4.h"
#include "codegen/formats/nvfp4.h"
#include "codegen/formats/q1_0.h"
#include "codegen/formats/q2_0.h"
#include "codegen/formats/q2_k.h"
#include "codegen/formats/q3_k.h"
#include "codegen/formats/q4_0.h"
#include "codegen/formats/q4_1.h"
#include "codegen/formats/q4_k.h"
#include "codegen/formats/q5_0.h"
#include "codegen/formats/q5_1.h"
#include "codegen/formats/q5_k.h"
#include "codegen/formats/q6_k.h"
#include "codegen/formats/q8_0.h"
#include "codegen/formats/q8_k.h"
#include "codegen/formats/scalars.h"
#include "codegen/formats/tq1_0.h"
#include "codegen/formats/tq2_0.h"

namespace llcuda::formats {
namespace {

using RowDecoder = void (*)(const std::byte* blocks, std::size_t elements, float* out);

// Blocks of a file may lie at odd addresses, so each is copied to an aligned one first.
template <typename Block, std::size_t kElements, std::size_t kBytes>
void decodeBlocks(const std::byte* blocks, std::size_t elements, float* out) {
  static_assert(sizeof(Block) == kBytes);
  for (std::size_t i = 0; i < elements; i += kElements, blocks += kBytes) {
    Block block;
    std::memcpy(&block, blocks, kBytes);
    dequantize(block, out + i);
  }
}

template <typename Block, std::size_t kElements, std::size_t kBytes>
constexpr RowDecoder blockDecoder() {
  if constexpr (std::is_void_v<Block>)
    return nullptr;
  else
    return decodeBlocks<Block, kElements, kBytes>;
}

constexpr RowDecoder decoderOf(TensorType type) {
  switch (type) {
#define LLCUDA_ENCODING(enumerator, number, name, elements, bytes, Block, layout)                                      \
  case TensorType::enumerator:                                                                                         \
    return blockDecoder<Block, elements, bytes>();
#include "codegen/formats/encodings.inc"
  }
  return nullptr;
}

} // namespace

bool canDequantize(TensorType type) {
  return decoderOf(type) != nullptr;
}

void dequantizeRow(TensorType type, const std::byte* blocks, std::size_t elements, float* out) {
  const RowDecoder decode = decoderOf(type);
  assert(decode && elements % tensorTypeInfo(type).blockElements == 0);
  decode(blocks, elements, out);
}

} // namespace llcuda::formats
