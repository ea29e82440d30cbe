// SPDX-License-Identifier: Apache-2.0
// Codes of 32 weights, one in each byte, to the planes that codegen/formats/encodings.inc describes, and back. `shift`
// says which bits of a code a plane has.
#pragma once

#include <cstddef>
#include <cstdint>

namespace llcuda::pack {

using BlockCodes = uint8_t[32];

/// 16 bytes: byte i has element i low and element 16 + i high.
inline void storeNibbles(const BlockCodes& codes, std::byte* plane) {
  for (int i = 0; i < 16; ++i) plane[i] = static_cast<std::byte>((codes[i] & 15) | (codes[16 + i] & 15) << 4);
}
inline void loadNibbles(const std::byte* plane, BlockCodes& codes) {
  for (int i = 0; i < 16; ++i) {
    codes[i] = std::to_integer<uint8_t>(plane[i] & std::byte{15});
    codes[16 + i] = std::to_integer<uint8_t>(plane[i] >> 4);
  }
}

/// The element of the low nibble of byte i of 16; the high nibble has the next one.
constexpr int elementInOrder(int i) {
  return i / 4 * 4 + i % 2 * 2 + (i % 4 < 2 ? 0 : 16);
}

/// 16 bytes: nibbles 0 ... 3 of word j have elements 4j ... 4j + 3, nibbles 4 ... 7 elements 16 + 4j ... 16 + 4j + 3.
inline void storeNibblesInOrder(const BlockCodes& codes, std::byte* plane) {
  for (int i = 0; i < 16; ++i) {
    const uint8_t* two = codes + elementInOrder(i);
    plane[i] = static_cast<std::byte>((two[0] & 15) | (two[1] & 15) << 4);
  }
}
inline void loadNibblesInOrder(const std::byte* plane, BlockCodes& codes) {
  for (int i = 0; i < 16; ++i) {
    uint8_t* two = codes + elementInOrder(i);
    two[0] = std::to_integer<uint8_t>(plane[i] & std::byte{15});
    two[1] = std::to_integer<uint8_t>(plane[i] >> 4);
  }
}

/// 8 bytes: byte b of word j has element 16j + 4t + b in bits 2t, 2t + 1.
inline void storePairs(const BlockCodes& codes, int shift, std::byte* plane) {
  for (int i = 0; i < 8; ++i) {
    const uint8_t* first = codes + i / 4 * 16 + i % 4;
    unsigned byte = 0;
    for (int t = 0; t < 4; ++t) byte |= (first[4 * t] >> shift & 3u) << (2 * t);
    plane[i] = static_cast<std::byte>(byte);
  }
}
inline void addPairs(const std::byte* plane, int shift, BlockCodes& codes) {
  for (int i = 0; i < 8; ++i)
    for (int t = 0; t < 4; ++t)
      codes[i / 4 * 16 + i % 4 + 4 * t] |=
          static_cast<uint8_t>((std::to_integer<unsigned>(plane[i]) >> (2 * t) & 3) << shift);
}

/// 4 bytes: byte b has element 4t + b in bit t.
inline void storeBits(const BlockCodes& codes, int shift, std::byte* plane) {
  for (int b = 0; b < 4; ++b) {
    unsigned byte = 0;
    for (int t = 0; t < 8; ++t) byte |= (codes[4 * t + b] >> shift & 1u) << t;
    plane[b] = static_cast<std::byte>(byte);
  }
}
inline void addBits(const std::byte* plane, int shift, BlockCodes& codes) {
  for (int b = 0; b < 4; ++b)
    for (int t = 0; t < 8; ++t)
      codes[4 * t + b] |= static_cast<uint8_t>((std::to_integer<unsigned>(plane[b]) >> t & 1) << shift);
}

} // namespace llcuda::pack
