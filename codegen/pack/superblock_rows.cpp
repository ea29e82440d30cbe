// SPDX-License-Identifier: Apache-2.0
// Encodings of blocks of 256 weights. Codes with a sign are stored in two's complement.
#include <utility>

#include "codegen/formats/iq4_xs.h"
#include "codegen/formats/q2_k.h"
#include "codegen/formats/q3_k.h"
#include "codegen/formats/q4_k.h"
#include "codegen/formats/q5_k.h"
#include "codegen/formats/q6_k.h"
#include "codegen/formats/tq2_0.h"
#include "codegen/pack/block_rows.h"
#include "codegen/pack/plane_codes.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

// A file has pairs of bits of 128 elements in 32 bytes: bits 2s, 2s + 1 of byte l are element 32 s + l.
int filePair(const uint8_t* bytes, int unit, int i) {
  return bytes[unit / 4 * 32 + i] >> (unit % 4 * 2) & 3;
}

/// The 16 bytes of codegen/kernels/linear/six_bit_record.cuh.
void storeRecord(uint16_t d, uint16_t dmin, const uint8_t (&scales)[12], std::byte* to) {
  std::memcpy(to, &d, 2);
  std::memcpy(to + 2, &dmin, 2);
  uint32_t nibbles = 0;
  for (int g = 0; g < 8; ++g) {
    const int min = formats::minOfGroup(scales, g);
    to[4 + g] = static_cast<std::byte>(formats::scaleOfGroup(scales, g) | (min & 3) << 6);
    nibbles |= static_cast<uint32_t>(min >> 2) << (4 * g);
  }
  std::memcpy(to + 12, &nibbles, 4);
}

/// d * scale and dmin * min of a group.
std::pair<float, float> scaleAndMin(const std::byte* record, int group) {
  const int byte = std::to_integer<int>(record[4 + group]);
  const int min = byte >> 6 | static_cast<int>(loadAs<uint32_t>(record + 12) >> (4 * group) & 15) << 2;
  return {halfAt(record) * static_cast<float>(byte & 63), halfAt(record + 2) * static_cast<float>(min)};
}

struct Q2_K {
  static constexpr auto kLayout = WeightLayout::kQ2_KPlanes;
  using Block = formats::BlockQ2_K;
  static void split(const Block& block, const PackedRow& to) {
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      for (int i = 0; i < 32; ++i) codes[i] = static_cast<uint8_t>(filePair(block.codes, unit, i));
      storePairs(codes, 0, to.codes + 8 * unit);
    }
    std::memcpy(to.scales, block.scales, 16);
    std::memcpy(to.supers, &block.d, 2);
    std::memcpy(to.supers + 2, &block.dmin, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    const float d = halfAt(from.supers), dmin = halfAt(from.supers + 2);
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes = {};
      addPairs(from.codes + 8 * unit, 0, codes);
      for (int i = 0; i < 32; ++i) {
        const int scales = std::to_integer<int>(from.scales[2 * unit + i / 16]);
        const float scale = d * static_cast<float>(scales & 15), min = dmin * static_cast<float>(scales >> 4);
        out[32 * unit + i] = scale * static_cast<float>(codes[i]) - min;
      }
    }
  }
};

struct Q3_K {
  static constexpr auto kLayout = WeightLayout::kQ3_KPlanes;
  using Block = formats::BlockQ3_K;
  static void split(const Block& block, const PackedRow& to) {
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      for (int i = 0; i < 32; ++i) {
        const bool high = block.highBits[i] >> unit & 1;
        codes[i] = static_cast<uint8_t>(filePair(block.codes, unit, i) - (high ? 0 : 4));
      }
      storePairs(codes, 0, to.codes + 8 * unit);
      storeBits(codes, 2, to.high + 4 * unit);
    }
    storeScales(block, to.scales);
    std::memcpy(to.supers, &block.d, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    const float d = halfAt(from.supers);
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes = {};
      addPairs(from.codes + 8 * unit, 0, codes);
      addBits(from.high + 4 * unit, 2, codes);
      for (int i = 0; i < 32; ++i) {
        const float scale = d * static_cast<float>(scaleAt(from.scales, 2 * unit + i / 16));
        out[32 * unit + i] = scale * static_cast<float>((codes[i] ^ 4) - 4);
      }
    }
  }

private:
  // 16 nibbles, then 16 pairs with the upper bits.
  static void storeScales(const Block& block, std::byte* to) {
    uint32_t pairs = 0;
    std::memset(to, 0, 8);
    for (int g = 0; g < 16; ++g) {
      const auto scale = static_cast<unsigned>(formats::groupScale(block, g) + 32);
      to[g / 2] |= static_cast<std::byte>((scale & 15) << (g % 2 * 4));
      pairs |= (scale >> 4) << (2 * g);
    }
    std::memcpy(to + 8, &pairs, 4);
  }
  static int scaleAt(const std::byte* from, int g) {
    const auto low = std::to_integer<unsigned>(from[g / 2]) >> (g % 2 * 4) & 15;
    return static_cast<int>(low | (loadAs<uint32_t>(from + 8) >> (2 * g) & 3) << 4) - 32;
  }
};

/// Q4_K and Q5_K: four bits of the codes lie alike.
template <typename FileBlock, WeightLayout kLayoutArg, bool kHigh>
struct SixBitScales {
  static constexpr WeightLayout kLayout = kLayoutArg;
  using Block = FileBlock;
  static void split(const Block& block, const PackedRow& to) {
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      for (int i = 0; i < 32; ++i) {
        codes[i] = block.codes[unit / 2 * 32 + i] >> (unit % 2 * 4) & 15;
        if constexpr (kHigh)
          codes[i] |= (block.highBits[i] >> unit & 1) << 4;
      }
      storeNibbles(codes, to.codes + 16 * unit);
      if constexpr (kHigh)
        storeBits(codes, 4, to.high + 4 * unit);
    }
    storeRecord(block.d, block.dmin, block.scales, to.scales);
  }
  static void values(const PackedRowView& from, float* out) {
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      loadNibbles(from.codes + 16 * unit, codes);
      if constexpr (kHigh)
        addBits(from.high + 4 * unit, 4, codes);
      const auto [scale, min] = scaleAndMin(from.scales, unit);
      for (int i = 0; i < 32; ++i) out[32 * unit + i] = scale * static_cast<float>(codes[i]) - min;
    }
  }
};
using Q4_K = SixBitScales<formats::BlockQ4_K, WeightLayout::kQ4_KPlanes, false>;
using Q5_K = SixBitScales<formats::BlockQ5_K, WeightLayout::kQ5_KPlanes, true>;

struct Q6_K {
  static constexpr auto kLayout = WeightLayout::kQ6_KPlanes;
  using Block = formats::BlockQ6_K;
  static void split(const Block& block, const PackedRow& to) {
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      for (int i = 0; i < 32; ++i) {
        const int byte = block.lowBits[unit / 4 * 64 + unit % 2 * 32 + i];
        const int low = unit % 4 < 2 ? byte & 15 : byte >> 4;
        codes[i] = static_cast<uint8_t>((low | filePair(block.highBits, unit, i) << 4) - 32);
      }
      storeNibbles(codes, to.codes + 16 * unit);
      storePairs(codes, 4, to.high + 8 * unit);
    }
    std::memcpy(to.scales, block.scales, 16);
    const float d = formats::halfToFloat(block.d);
    std::memcpy(to.supers, &d, 4);
  }
  static void values(const PackedRowView& from, float* out) {
    const auto d = loadAs<float>(from.supers);
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      loadNibbles(from.codes + 16 * unit, codes);
      addPairs(from.high + 8 * unit, 4, codes);
      for (int i = 0; i < 32; ++i) {
        const float scale = d * static_cast<float>(std::to_integer<int8_t>(from.scales[2 * unit + i / 16]));
        out[32 * unit + i] = scale * static_cast<float>((codes[i] ^ 32) - 32);
      }
    }
  }
};

struct IQ4_XS {
  static constexpr auto kLayout = WeightLayout::kIQ4_XSPlanes;
  using Block = formats::BlockIQ4_XS;
  static void split(const Block& block, const PackedRow& to) {
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      for (int i = 0; i < 16; ++i) {
        codes[i] = block.codes[16 * unit + i] & 15;
        codes[i + 16] = block.codes[16 * unit + i] >> 4;
      }
      storeNibblesInOrder(codes, to.codes + 16 * unit);
    }
    std::memcpy(to.scales, &block.d, 2);
    std::memcpy(to.scales + 2, &block.scalesHigh, 2);
    std::memcpy(to.scales + 4, block.scalesLow, 4);
  }
  static void values(const PackedRowView& from, float* out) {
    const float d = halfAt(from.scales);
    const unsigned high = loadAs<uint16_t>(from.scales + 2);
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      loadNibblesInOrder(from.codes + 16 * unit, codes);
      const unsigned low = loadAs<uint32_t>(from.scales + 4) >> (4 * unit) & 15;
      const float scale = d * static_cast<float>(static_cast<int>(low | (high >> (2 * unit) & 3) << 4) - 32);
      for (int i = 0; i < 32; ++i) out[32 * unit + i] = scale * static_cast<float>(formats::kIq4Levels[codes[i]]);
    }
  }
};

struct TQ2_0 {
  static constexpr auto kLayout = WeightLayout::kTQ2_0Planes;
  using Block = formats::BlockTQ2_0;
  static void split(const Block& block, const PackedRow& to) {
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes;
      for (int i = 0; i < 32; ++i) codes[i] = static_cast<uint8_t>(filePair(block.codes, unit, i));
      storePairs(codes, 0, to.codes + 8 * unit);
    }
    std::memcpy(to.scales, &block.d, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    const float d = halfAt(from.scales);
    for (int unit = 0; unit < 8; ++unit) {
      BlockCodes codes = {};
      addPairs(from.codes + 8 * unit, 0, codes);
      for (int i = 0; i < 32; ++i) out[32 * unit + i] = d * static_cast<float>(codes[i] - 1);
    }
  }
};

constexpr RowPacker kPackers[] = {
    packerOf<Q2_K>(TensorType::kQ2_K),   packerOf<Q3_K>(TensorType::kQ3_K), packerOf<Q4_K>(TensorType::kQ4_K),
    packerOf<Q5_K>(TensorType::kQ5_K),   packerOf<Q6_K>(TensorType::kQ6_K), packerOf<IQ4_XS>(TensorType::kIQ4_XS),
    packerOf<TQ2_0>(TensorType::kTQ2_0),
};
constexpr RowUnpacker kUnpackers[] = {
    unpackerOf<Q2_K>(), unpackerOf<Q3_K>(),   unpackerOf<Q4_K>(),  unpackerOf<Q5_K>(),
    unpackerOf<Q6_K>(), unpackerOf<IQ4_XS>(), unpackerOf<TQ2_0>(),
};

} // namespace

std::span<const RowPacker> superblockRowPackers() {
  return kPackers;
}
std::span<const RowUnpacker> superblockRowUnpackers() {
  return kUnpackers;
}

} // namespace llcuda::pack
