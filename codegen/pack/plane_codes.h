// SPDX-License-Identifier: Apache-2.0
// Codes of 32 weights, one in each byte, to the planes that codegen/formats/encodings.inc describes, and back. `shift`
// says which bits of a code a plane has.
#pragma once

#include <cstddef>
#include <cstdint>

namespace llcuda::pack {

using BlockCodes = uint8_t[32];

/// 16 bytes: byte b of word j has element 8j + b low and element 8j + 4 + b high.
inline void storeNibbles(const BlockCodes& codes, std::byte* plane) {
  for (int i = 0; i < 16; ++i) {
    const int low = i / 4 * 8 + i % 4;
    plane[i] = static_cast<std::byte>((codes[low] & 15) | (codes[low + 4] & 15) << 4);
  }
}
inline void loadNibbles(const std::byte* plane, BlockCodes& codes) {
  for (int i = 0; i < 16; ++i) {
    const int low = i / 4 * 8 + i % 4;
    codes[low] = std::to_integer<uint8_t>(plane[i] & std::byte{15});
    codes[low + 4] = std::to_integer<uint8_t>(plane[i] >> 4);
  }
}

/// 16 bytes: byte i has element 2i low and 2i + 1 high.
inline void storeNibblesInOrder(const BlockCodes& codes, std::byte* plane) {
  for (int i = 0; i < 16; ++i) plane[i] = static_cast<std::byte>((codes[2 * i] & 15) | (codes[2 * i + 1] & 15) << 4);
}
inline void loadNibblesInOrder(const std::byte* plane, BlockCodes& codes) {
  for (int i = 0; i < 16; ++i) {
    codes[2 * i] = std::to_integer<uint8_t>(plane[i] & std::byte{15});
    codes[2 * i + 1] = std::to_integer<uint8_t>(plane[i] >> 4);
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
