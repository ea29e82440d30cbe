// SPDX-License-Identifier: Apache-2.0
// Keys and values of a few sequences, as a test's reference reads them and as kernels find them in pages.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "codegen/kernels/ptx/half.cuh"

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

/// Sequences of `lengths` positions. Pages are handed out so that neighbours in a sequence are no neighbours in memory;
/// what no position owns is NaN, and so are the pages that the table does not name.
struct PagedCache {
  static constexpr int kPage = 64;
  int kvHeads, headSize, tablePages;
  std::vector<int> table;                       ///< [slots][tablePages]
  std::vector<Half> kPages, vPages;             ///< [page][kvHeads][64][headSize]
  std::vector<std::vector<float>> keys, values; ///< of each slot: [positions][kvHeads][headSize]

  PagedCache(const std::vector<int>& lengths, int kvHeads, int headSize, int tablePages, uint32_t seed)
      : kvHeads(kvHeads), headSize(headSize), tablePages(tablePages), table(lengths.size() * tablePages, -1) {
    const int slots = static_cast<int>(lengths.size());
    const size_t elements = size_t(slots) * tablePages * kvHeads * kPage * headSize;
    kPages.assign(elements, Half{0x7e00});
    vPages.assign(elements, Half{0x7e00});
    for (int s = 0; s < slots; ++s) {
      const size_t count = size_t(lengths[s]) * kvHeads * headSize;
      keys.push_back(floats(halves(randomFloats(count, seed + 2 * s))));
      values.push_back(floats(halves(randomFloats(count, seed + 2 * s + 1))));
      for (int p = 0; p < tablePages && p * kPage < lengths[s]; ++p)
        table[s * tablePages + p] = (tablePages - 1 - p) * slots + s;
      for (int position = 0; position < lengths[s]; ++position) write(s, position);
    }
  }

  size_t cell(int slot, int position, int kvHead) const {
    const size_t page = table[slot * tablePages + position / kPage];
    return ((page * kvHeads + kvHead) * kPage + position % kPage) * headSize;
  }

  void write(int slot, int position) {
    for (int h = 0; h < kvHeads; ++h)
      for (int i = 0; i < headSize; ++i) {
        const size_t from = (size_t(position) * kvHeads + h) * headSize + i;
        kPages[cell(slot, position, h) + i] = toHalf(keys[slot][from]);
        vPages[cell(slot, position, h) + i] = toHalf(values[slot][from]);
      }
  }
};

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
