// SPDX-License-Identifier: Apache-2.0
// Keys and values of a few sequences, as a test's reference reads them and as kernels find them in pages.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "codegen/kernels/attention/attention_shape.cuh"
#include "codegen/kernels/attention/attention_variant.cuh"
#include "codegen/reference/attention.h"

namespace llcuda::testing {

inline std::vector<float> randomFloats(size_t count, uint32_t seed, float spread = 1.f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.f, spread);
  std::vector<float> values(count);
  for (float& v : values) v = normal(generator);
  return values;
}

inline std::vector<Half> halves(const std::vector<float>& values) {
  std::vector<Half> result;
  for (float v : values) result.push_back(toHalf(v));
  return result;
}

inline std::vector<float> floats(const std::vector<Half>& values) {
  std::vector<float> result;
  for (Half v : values) result.push_back(toFloat(v));
  return result;
}

/// A kv head's part of a page, element by element, as codegen/formats/kv_type.h describes it.
struct StoredHead {
  KvType type;
  int headSize;
  uint8_t* bytes;

  float value(int token, int i) const {
    const int block = token * (headSize / 32) + i / 32;
    if (type == KvType::kBF16)
      return bf16(2 * (token * headSize + i));
    if (isPlain())
      return half(2 * (token * headSize + i));
    if (kvVectorBytes(type) == 8)
      return half(kvScalesOffset(type, headSize) + 2 * block) * static_cast<int8_t>(bytes[token * headSize + i]);
    int code = bytes[(token * headSize + i) / 8 * 4 + i % 4] >> (i / 4 % 2 * 4) & 15;
    if (kvHasFifthBits(type))
      code |= (bytes[kvFifthBitsOffset(type, headSize) + 4 * block + i % 32 / 8] >> i % 8 & 1) << 4;
    if (kvHasMinimums(type))
      return half(kvScalesOffset(type, headSize) + 4 * block) * code +
             half(kvScalesOffset(type, headSize) + 4 * block + 2);
    return half(kvScalesOffset(type, headSize) + 2 * block) * (code - (kvHasFifthBits(type) ? 16 : 8));
  }

  /// Element i of a token of a type without scales becomes zero.
  void clear(int token, int i) const { std::memset(bytes + 2 * (token * headSize + i), 0, 2); }

  /// Codes, scales and minimums of a token such that its values lie around -1 ... 1.
  void randomize(int token, std::mt19937& generator) const {
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> uniform(0.5f, 1.5f);
    const int codeBytes = headSize / 8 * kvVectorBytes(type), blocks = headSize / 32;
    for (int i = 0; isPlain() && i < headSize; ++i)
      type == KvType::kBF16 ? setBf16(2 * (token * headSize + i), normal(generator))
                            : setHalf(2 * (token * headSize + i), normal(generator));
    for (int i = 0; !isPlain() && i < codeBytes; ++i) bytes[token * codeBytes + i] = randomByte(generator);
    for (int i = 0; kvHasFifthBits(type) && i < 4 * blocks; ++i)
      bytes[kvFifthBitsOffset(type, headSize) + 4 * token * blocks + i] = randomByte(generator);
    const float levels = kvVectorBytes(type) == 8 ? 128.f : kvHasFifthBits(type) ? 16.f : 8.f;
    for (int i = 0; kvHasScales(type) && i < blocks; ++i) {
      const int at = kvScalesOffset(type, headSize) + (token * blocks + i) * (kvHasMinimums(type) ? 4 : 2);
      setHalf(at, uniform(generator) / levels);
      if (kvHasMinimums(type))
        setHalf(at + 2, -uniform(generator));
    }
  }

private:
  bool isPlain() const { return !kvHasScales(type); }
  static uint8_t randomByte(std::mt19937& generator) { return static_cast<uint8_t>(generator()); }
  float half(int at) const {
    Half h;
    std::memcpy(&h, bytes + at, 2);
    return toFloat(h);
  }
  float bf16(int at) const {
    uint16_t bits;
    std::memcpy(&bits, bytes + at, 2);
    return formats::bf16ToFloat(bits);
  }
  void setBf16(int at, float value) const {
    const uint16_t bits = formats::floatToBf16(value);
    std::memcpy(bytes + at, &bits, 2);
  }
  void setHalf(int at, float value) const {
    const Half h = toHalf(value);
    std::memcpy(bytes + at, &h, 2);
  }
};

/// Sequences of `lengths` positions. Pages of a table are handed out so that neighbours in a sequence are no neighbours
/// in memory; what no position owns is NaN, and so are the pages that the table does not name.
template <typename Shape>
struct PagedCache {
  static constexpr int kPage = 64;
  static constexpr int kSlotPages = Shape::kTablePages;
  std::vector<int> table;                       ///< [slots][table pages]
  std::vector<uint8_t> kPages, vPages;          ///< [page][kv heads]
  std::vector<std::vector<float>> keys, values; ///< of each slot: [positions][kv heads][head size]

  PagedCache(const std::vector<int>& lengths, uint32_t seed) : table(lengths.size() * Shape::kTablePages, -1) {
    const int slots = static_cast<int>(lengths.size());
    kPages = nans(slots * kSlotPages * Shape::kKvHeads * Shape::Keys::kBytes);
    vPages = nans(slots * kSlotPages * Shape::kKvHeads * Shape::Values::kBytes);
    for (int s = 0; s < slots; ++s) {
      for (int p = 0; p < Shape::kTablePages && p * kPage < lengths[s]; ++p)
        table[s * Shape::kTablePages + p] = (Shape::kTablePages - 1 - p) * slots + s;
      std::mt19937 generator(seed + s);
      keys.emplace_back();
      values.emplace_back();
      for (int position = 0; position < lengths[s]; ++position)
        for (int h = 0; h < Shape::kKvHeads; ++h) {
          fill<typename Shape::Keys>(kPages, s, position, h, generator, keys[s]);
          fill<typename Shape::Values>(vPages, s, position, h, generator, values[s]);
        }
    }
  }

  /// Takes the pages before a key out of the table, which no row of a slot sees.
  void forgetBefore(int slot, int key) {
    for (int p = 0; (p + 1) * kPage <= key; ++p) table[slot * Shape::kTablePages + p] = -1;
  }

  template <typename Rows>
  StoredHead head(std::vector<uint8_t>& pages, int slot, int position, int kvHead) const {
    const size_t page = table[slot * Shape::kTablePages + position / kPage];
    return {Rows::kType, 8 * Rows::kVectors, pages.data() + (page * Shape::kKvHeads + kvHead) * Rows::kBytes};
  }

private:
  /// f16 NaN: as codes a number, as a scale what spoils every value that it reaches.
  static std::vector<uint8_t> nans(size_t bytes) {
    std::vector<uint8_t> all(bytes);
    for (size_t i = 1; i < bytes; i += 2) all[i] = 0x7e;
    return all;
  }

  template <typename Rows>
  void fill(std::vector<uint8_t>& pages, int slot, int position, int kvHead, std::mt19937& generator,
            std::vector<float>& wanted) {
    const StoredHead stored = head<Rows>(pages, slot, position, kvHead);
    stored.randomize(position % kPage, generator);
    for (int i = Shape::kHeadSize; i < stored.headSize; ++i) stored.clear(position % kPage, i);
    for (int i = 0; i < Shape::kHeadSize; ++i) wanted.push_back(stored.value(position % kPage, i));
  }
};

/// What the reference does where kernels do `variant`.
inline reference::CausalAttention exactly(const CausalAttention& variant) {
  return {variant.scale, variant.softcap, static_cast<size_t>(variant.window), variant.sinks};
}

/// Of slot 1, as the tests of rows of one slot have it.
inline reference::TwoWayAttention exactly(const TwoWayAttention& variant) {
  return {exactly(variant.scores), static_cast<size_t>(variant.lengths[1])};
}

/// Mean square of the difference over the mean square of the reference.
template <typename Reference>
double normalizedError(const std::vector<float>& got, const std::vector<Reference>& wanted) {
  double error = 0, power = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    error += (got[i] - wanted[i]) * (got[i] - wanted[i]);
    power += wanted[i] * wanted[i];
  }
  return error == 0 ? 0 : error / power;
}

} // namespace llcuda::testing
