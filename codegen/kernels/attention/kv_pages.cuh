// SPDX-License-Identifier: Apache-2.0
// The cache of keys and values as kernels see it: which page holds a position, and how eight elements of a token go in
// and come out of it. The bytes of a page are described in codegen/formats/kv_type.h.
#pragma once

#include "codegen/formats/kv_type.h"
#include "codegen/kernels/base/device.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

/// Number of the page that holds positions 64 * index ... + 63 of a slot, from the block table [slots][kTablePages] of
/// the layer's group. It is -1 where no row sees these positions any more, or none has reached them.
template <int kTablePages>
LLCUDA_DEVICE int pageNumber(const int* table, int slot, int index) {
  return loadReadOnly(table + static_cast<long long>(slot) * kTablePages + index);
}

/// Eight elements of a key or value, as they are stored.
template <KvType kType>
struct KvVector {
  static constexpr int kWords = kvVectorBytes(kType) / 4;
  uint32_t codes[kWords];
  uint32_t fifthBits; ///< of the block of 32
  uint32_t scale;     ///< f16 scale, and above it the minimum
};

/// The bytes of `word`, 0 ... 255, minus `zero` as floats.
LLCUDA_DEVICE void floatsOfBytes(uint32_t word, int zero, float* f) {
  LLCUDA_UNROLL
  for (int i = 0; i < 4; ++i) // 2^23 + byte, exactly
    f[i] = bitCast<float>(bytePermute(word, 0x4b000000u, 0x7440u + static_cast<uint32_t>(i))) -
           static_cast<float>(8388608 + zero);
}

/// Two bytes of `word`, as `selector` names them, minus 128 and times a pair of f16.
LLCUDA_DEVICE uint32_t scaledBytes(uint32_t word, uint32_t selector, uint32_t scale) {
  const uint32_t above1024 = bytePermute(word, 0x64646464u, selector); // 1024 + byte, exactly
  const Half2 signedBytes = addHalf2(bitCast<Half2>(above1024), bitCast<Half2>(0xe480e480u));
  return bitCast<uint32_t>(multiplyHalf2(signedBytes, bitCast<Half2>(scale)));
}

/// Bits 0 ... 3 of `bits` become bits 4, 12, 20, 28.
LLCUDA_DEVICE uint32_t fifthBitsOfBytes(uint32_t bits) {
  return ((bits & 15) * 0x00204081u & 0x01010101u) << 4;
}

/// Part of a page that belongs to one kv head.
template <KvType kType_, int kHeadSize>
struct KvRows {
  static constexpr KvType kType = kType_;
  using Vector = KvVector<kType>;
  static_assert(kHeadSize % 8 == 0 && kHeadSize % kvBlock(kType) == 0, "whole vectors and blocks");
  static constexpr int kVectors = kHeadSize / 8, kBlocks = kHeadSize / kKvBlock;
  static constexpr int kBytes = kvHeadBytes(kType, kHeadSize);

  /// Elements 8 * vector ... + 7 of a token; zeros where they are not wanted, since the memory may hold anything.
  static LLCUDA_DEVICE Vector load(const uint8_t* head, int token, int vector, bool wanted) {
    Vector v = {};
    if (!wanted)
      return v;
    const uint8_t* const codes = head + (token * kVectors + vector) * kvVectorBytes(kType);
    const int block = token * kBlocks + vector / 4;
    if constexpr (kIsPlain) {
      const uint4 words = loadStream(reinterpret_cast<const uint4*>(codes));
      v.codes[0] = words.x, v.codes[1] = words.y, v.codes[2] = words.z, v.codes[3] = words.w;
    } else if constexpr (kHasBytes) {
      const uint2 words = loadStream(reinterpret_cast<const uint2*>(codes));
      v.codes[0] = words.x, v.codes[1] = words.y;
    } else {
      v.codes[0] = loadStream(reinterpret_cast<const uint32_t*>(codes));
    }
    if constexpr (kvHasFifthBits(kType))
      v.fifthBits = loadStream(reinterpret_cast<const uint32_t*>(head + kvFifthBitsOffset(kType, kHeadSize)) + block);
    if constexpr (kvHasMinimums(kType))
      v.scale = loadStream(reinterpret_cast<const uint32_t*>(head + kvScalesOffset(kType, kHeadSize)) + block);
    else if constexpr (kvHasScales(kType))
      v.scale = loadStream(reinterpret_cast<const uint16_t*>(head + kvScalesOffset(kType, kHeadSize)) + block);
    return v;
  }

  /// The elements divided by what is returned: a scale alone is left for the caller, who has fewer numbers to multiply.
  static LLCUDA_DEVICE float unpack(const Vector& v, int vector, float (&f)[8]) {
    if constexpr (kIsPlain) {
      LLCUDA_UNROLL
      for (int i = 0; i < 4; ++i) {
        const float2 pair = pairOf(v.codes[i]);
        f[2 * i] = pair.x, f[2 * i + 1] = pair.y;
      }
      return 1.f;
    } else {
      unpackCodes(v, vector, f);
      const float2 scale = halvesOf(v.scale);
      if constexpr (kvHasMinimums(kType)) {
        LLCUDA_UNROLL
        for (float& element : f) element = fusedMultiplyAdd(element, scale.x, scale.y);
        return 1.f;
      } else {
        return scale.x;
      }
    }
  }

  /// The elements as eight f16.
  static LLCUDA_DEVICE uint4 halves(const Vector& v, int vector) {
    if constexpr (kType == KvType::kF16) {
      return make_uint4(v.codes[0], v.codes[1], v.codes[2], v.codes[3]);
    } else if constexpr (kHasBytes) { // exact until the product with the scale, which is rounded once
      const uint32_t low = v.codes[0] ^ 0x80808080u, high = v.codes[1] ^ 0x80808080u, scale = v.scale | v.scale << 16;
      return make_uint4(scaledBytes(low, 0x4140u, scale), scaledBytes(low, 0x4342u, scale),
                        scaledBytes(high, 0x4140u, scale), scaledBytes(high, 0x4342u, scale));
    } else {
      float f[8];
      const float factor = unpack(v, vector, f);
      LLCUDA_UNROLL
      for (float& element : f) element *= factor;
      return make_uint4(wordOfHalves(f[0], f[1]), wordOfHalves(f[2], f[3]), wordOfHalves(f[4], f[5]),
                        wordOfHalves(f[6], f[7]));
    }
  }

  /// Stores elements 4 * four ... + 3 of a token: four neighbouring elements per lane, so 8 lanes are a block of 32
  /// whose first is in a lane 8i. All lanes of the warp call; those with `valid` false store nothing.
  static LLCUDA_DEVICE void store(uint8_t* head, int token, int four, float4 x, bool valid) {
    if constexpr (kIsPlain) {
      if (valid)
        reinterpret_cast<uint2*>(head)[token * (kHeadSize / 4) + four] = make_uint2(wordOf(x.x, x.y), wordOf(x.z, x.w));
    } else {
      storeBlock(head, token, four, x, valid);
    }
  }

  /// Two neighbouring elements as the word that a type without scales stores.
  static LLCUDA_DEVICE uint32_t wordOf(float low, float high) {
    static_assert(kType == KvType::kF16 || kType == KvType::kBF16, "a type of the cache needs its words");
    if constexpr (kType == KvType::kBF16)
      return formats::floatToBf16(low) | static_cast<uint32_t>(formats::floatToBf16(high)) << 16;
    else
      return wordOfHalves(low, high);
  }
  static LLCUDA_DEVICE float2 pairOf(uint32_t word) {
    static_assert(kType == KvType::kF16 || kType == KvType::kBF16, "a type of the cache needs its words");
    if constexpr (kType == KvType::kBF16)
      return make_float2(bitCast<float>(word << 16), bitCast<float>(word & 0xffff0000u));
    else
      return halvesOf(word);
  }

private:
  static constexpr bool kIsPlain = kvVectorBytes(kType) == 16, kHasBytes = kvVectorBytes(kType) == 8;
  static constexpr int kLevels = kHasBytes ? 256 : kvHasFifthBits(kType) ? 32 : 16;
  /// What is subtracted from a code before the scale; a type with minimums has none.
  static constexpr int kZero = kvHasMinimums(kType) ? 0 : kLevels / 2;

  /// Codes less kZero.
  static LLCUDA_DEVICE void unpackCodes(const Vector& v, int vector, float (&f)[8]) {
    if constexpr (kHasBytes) {
      floatsOfBytes(v.codes[0] ^ 0x80808080u, kZero, f);
      floatsOfBytes(v.codes[1] ^ 0x80808080u, kZero, f + 4);
    } else {
      uint32_t low = v.codes[0] & 0x0f0f0f0fu, high = v.codes[0] >> 4 & 0x0f0f0f0fu;
      if constexpr (kvHasFifthBits(kType)) {
        const uint32_t bits = v.fifthBits >> (vector % 4 * 8);
        low |= fifthBitsOfBytes(bits);
        high |= fifthBitsOfBytes(bits >> 4);
      }
      floatsOfBytes(low, kZero, f);
      floatsOfBytes(high, kZero, f + 4);
    }
  }

  /// ggml's choice: {scale, minimum}, where without minimums the element of the largest magnitude gets the lowest code.
  static LLCUDA_DEVICE float2 chooseScale(float4 x) {
    const float highest = groupMax<8>(maxOf(maxOf(x.x, x.y), maxOf(x.z, x.w)));
    const float lowest = -groupMax<8>(maxOf(maxOf(-x.x, -x.y), maxOf(-x.z, -x.w)));
    if constexpr (kvHasMinimums(kType))
      return make_float2((highest - lowest) * (1.f / (kLevels - 1)), lowest);
    else if constexpr (kHasBytes)
      return make_float2(maxOf(highest, -lowest) * (1.f / 127.f), 0.f);
    else
      return make_float2((highest > -lowest ? highest : lowest) * (-1.f / (kLevels / 2)), 0.f);
  }

  static LLCUDA_DEVICE uint32_t codeOf(float x, float inverse, float minimum) {
    if constexpr (kHasBytes)
      return static_cast<uint32_t>(roundToInt(x * inverse)) & 255;
    else
      return static_cast<uint32_t>(minOf(static_cast<int>((x - minimum) * inverse + (kZero + 0.5f)), kLevels - 1));
  }

  static LLCUDA_DEVICE void storeBlock(uint8_t* head, int token, int four, float4 x, bool valid) {
    const float2 scale = chooseScale(x);
    const float inverse = absOf(scale.x) > 1e-30f ? reciprocalFast(scale.x) : 0.f;
    const uint32_t codes[4] = {codeOf(x.x, inverse, scale.y), codeOf(x.y, inverse, scale.y),
                               codeOf(x.z, inverse, scale.y), codeOf(x.w, inverse, scale.y)};
    const uint32_t word = codes[0] | codes[1] << 8 | codes[2] << 16 | codes[3] << 24;
    const int block = token * kBlocks + four / 8;
    if constexpr (kHasBytes) {
      if (valid)
        reinterpret_cast<uint32_t*>(head)[token * (kHeadSize / 4) + four] = word;
    } else {
      const uint32_t nibbles = word & 0x0f0f0f0fu;
      const uint32_t neighbour = static_cast<uint32_t>(shuffleXor(static_cast<int>(nibbles), 1));
      if (valid && four % 2 == 0)
        reinterpret_cast<uint32_t*>(head)[token * kVectors + four / 2] = nibbles | neighbour << 4;
    }
    if constexpr (kvHasFifthBits(kType)) {
      const uint32_t own = word >> 4 & 0x01010101u;
      const uint32_t bits = (own | own >> 7 | own >> 14 | own >> 21) & 15;
      const int all = groupSum<8>(static_cast<int>(bits << (four % 8 * 4)));
      if (valid && four % 8 == 0)
        reinterpret_cast<uint32_t*>(head + kvFifthBitsOffset(kType, kHeadSize))[block] = static_cast<uint32_t>(all);
    }
    uint8_t* const scales = head + kvScalesOffset(kType, kHeadSize);
    if (valid && four % 8 == 0) {
      if constexpr (kvHasMinimums(kType))
        reinterpret_cast<uint32_t*>(scales)[block] = wordOfHalves(scale.x, scale.y);
      else
        reinterpret_cast<Half*>(scales)[block] = toHalf(scale.x);
    }
  }
};

} // namespace llcuda
