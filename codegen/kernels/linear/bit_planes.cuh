// SPDX-License-Identifier: Apache-2.0
// Codes whose further bits lie in a plane of their own, put together: codegen/formats/encodings.inc has the order.
#pragma once

#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

/// Left by n, or right by -n.
template <int n>
LLCUDA_DEVICE uint32_t shifted(uint32_t word) {
  if constexpr (n >= 0)
    return word << n;
  else
    return word >> -n;
}

/// The nibbles of 32 weights at bits kAt ... kAt + 3 of their bytes.
template <int kAt>
LLCUDA_DEVICE CodeWords<8> nibblesAt(const uint4& w) {
  constexpr uint32_t kMask = 0x0f0f0f0fu << kAt;
  const auto low = [](uint32_t word) { return word << kAt & kMask; };
  const auto high = [](uint32_t word) { return shifted<kAt - 4>(word) & kMask; };
  return {{low(w.x), low(w.y), low(w.z), low(w.w), high(w.x), high(w.y), high(w.z), high(w.w)}};
}
template <int kAt>
LLCUDA_DEVICE CodeWords<2> nibblesAt(uint32_t w) {
  constexpr uint32_t kMask = 0x0f0f0f0fu << kAt;
  return {{w << kAt & kMask, shifted<kAt - 4>(w) & kMask}};
}

/// Puts the bits of 32 weights at bit kAt.
template <int kAt>
LLCUDA_DEVICE void addBits(CodeWords<8>& codes, uint32_t bits) {
  constexpr uint32_t kMask = 0x01010101u << kAt;
  codes.word[0] |= shifted<kAt>(bits) & kMask;
  codes.word[1] |= shifted<kAt - 1>(bits) & kMask;
  codes.word[2] |= shifted<kAt - 2>(bits) & kMask;
  codes.word[3] |= shifted<kAt - 3>(bits) & kMask;
  codes.word[4] |= shifted<kAt - 4>(bits) & kMask;
  codes.word[5] |= shifted<kAt - 5>(bits) & kMask;
  codes.word[6] |= shifted<kAt - 6>(bits) & kMask;
  codes.word[7] |= shifted<kAt - 7>(bits) & kMask;
}

/// Puts the pairs of 32 weights at bits kAt and kAt + 1.
template <int kAt>
LLCUDA_DEVICE void addPairs(CodeWords<8>& codes, const uint2& pairs) {
  constexpr uint32_t kMask = 0x03030303u << kAt;
  codes.word[0] |= shifted<kAt>(pairs.x) & kMask;
  codes.word[1] |= shifted<kAt - 2>(pairs.x) & kMask;
  codes.word[2] |= shifted<kAt - 4>(pairs.x) & kMask;
  codes.word[3] |= shifted<kAt - 6>(pairs.x) & kMask;
  codes.word[4] |= shifted<kAt>(pairs.y) & kMask;
  codes.word[5] |= shifted<kAt - 2>(pairs.y) & kMask;
  codes.word[6] |= shifted<kAt - 4>(pairs.y) & kMask;
  codes.word[7] |= shifted<kAt - 6>(pairs.y) & kMask;
}

/// The same of what a lane of tensor cores takes: bits `lane` and 4 + lane, pairs `lane` of both words.
template <int kAt>
LLCUDA_DEVICE void addBits(CodeWords<2>& codes, uint32_t bits, int lane = pieceLane()) {
  static_assert(kAt >= 3, "one shift to the left");
  constexpr uint32_t kMask = 0x01010101u << kAt;
  codes.word[0] |= bits << (kAt - lane) & kMask;
  codes.word[1] |= (kAt >= 7 ? bits << (kAt - 4 - lane) : kAt == 4 ? bits >> lane : bits >> lane << kAt >> 4) & kMask;
}
template <int kAt>
LLCUDA_DEVICE void addPairs(CodeWords<2>& codes, const uint2& pairs, int lane = pieceLane()) {
  constexpr uint32_t kMask = 0x03030303u << kAt;
  const auto own = [&](uint32_t word) { return kAt >= 6 ? word << (kAt - 2 * lane) : word >> (2 * lane) << kAt; };
  codes.word[0] |= own(pairs.x) & kMask;
  codes.word[1] |= own(pairs.y) & kMask;
}

/// Codes 0 ... 3.
template <int kWords>
LLCUDA_DEVICE CodeWords<kWords> codesOfPairs(const uint2& pairs) {
  CodeWords<kWords> codes = {};
  addPairs<0>(codes, pairs);
  return codes;
}

/// Nibbles and a bit above each, as codes of five bits from bit kAt of their bytes on: 2^kAt times the code.
template <WeightLayout kLayout, int kColumns, int kAt>
struct FiveBitReads : NibbleBitReads<kLayout, kColumns, uint32_t> {
  using Reads = NibbleBitReads<kLayout, kColumns, uint32_t>;

  static LLCUDA_DEVICE CodeWords<8> codes(const typename Reads::Unit& w) { return codesFrom<8>(w.codes, w.high); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const typename Reads::Piece& piece) {
    return codesFrom<2>(piece.codes, piece.high);
  }

private:
  template <int kWords, typename Nibbles>
  static LLCUDA_DEVICE CodeWords<kWords> codesFrom(const Nibbles& nibbles, const uint32_t& high) {
    CodeWords<kWords> codes = nibblesAt<kAt>(nibbles);
    addBits<kAt + 4>(codes, high);
    return codes;
  }
};

} // namespace llcuda
