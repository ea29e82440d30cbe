// SPDX-License-Identifier: Apache-2.0
// Int8 rows as kernels read and emit them, element by element: by the words of codegen/formats/int8_rows.h, not by its
// functions.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "codegen/formats/int8_rows.h"
#include "codegen/formats/numbers.h"
#include "codegen/kernels/base/device.cuh"

namespace llcuda::testing {

struct Int8Rows {
  RowOrder order;
  size_t rows, columns;
  std::vector<int8_t> codes;  ///< 99 where nobody has stored
  std::vector<float2> scales; ///< NaN there

  Int8Rows(RowOrder order, size_t rows, size_t columns) : order(order), rows(rows), columns(columns) {
    const size_t held = order == RowOrder::kRows ? rows : order == RowOrder::kEightRows ? 8 : (rows + 15) / 16 * 16;
    codes.assign(held * columns, 99);
    scales.assign(held * columns / 32, float2{NAN, NAN});
  }

  int8_t& code(size_t row, size_t column) { return codes[codeAt(row, column)]; }
  int8_t code(size_t row, size_t column) const { return codes[codeAt(row, column)]; }
  float d(size_t row, size_t block) const { return word<float>(scaleAt(row, block)); }
  /// d times the sum of the codes.
  float sum(size_t row, size_t block) const {
    if (order != RowOrder::kFragments)
      return word<float>(scaleAt(row, block) + 4);
    const auto terms = word<uint32_t>(scaleAt(row, block) + 64);
    const float value = formats::halfToFloat(static_cast<uint16_t>(terms)),
                rest = formats::halfToFloat(static_cast<uint16_t>(terms >> 16));
    return 256.f * (value + rest / 2048.f);
  }

  void setBlock(size_t row, size_t block, const int8_t* from, float d, float sum) {
    for (size_t i = 0; i < 32; ++i) code(row, 32 * block + i) = from[i];
    setWord(scaleAt(row, block), d);
    if (order != RowOrder::kFragments) {
      setWord(scaleAt(row, block) + 4, sum);
      return;
    }
    const uint16_t value = formats::floatToHalf(std::fmin(std::fmax(sum / 256.f, -65504.f), 65504.f));
    const uint16_t rest = formats::floatToHalf((sum / 256.f - formats::halfToFloat(value)) * 2048.f);
    setWord(scaleAt(row, block) + 64, value | static_cast<uint32_t>(rest) << 16);
  }

  /// [rows][columns]
  std::vector<float> values() const {
    std::vector<float> values;
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < columns; ++c) values.push_back(d(r, c / 32) * static_cast<float>(code(r, c)));
    return values;
  }

  /// Whether each block's sum is d times that of its codes, in as many bits as it has, and d is the largest |code| of
  /// 127.
  bool areConsistent() const {
    for (size_t r = 0; r < rows; ++r)
      for (size_t b = 0; b < columns / 32; ++b) {
        int total = 0, peak = 0;
        for (size_t i = 0; i < 32; ++i) {
          total += code(r, 32 * b + i);
          peak = std::max(peak, std::abs(code(r, 32 * b + i)));
        }
        const float wanted = d(r, b) * static_cast<float>(total);
        const float within = order != RowOrder::kFragments ? 0.f : std::fabs(wanted) * 0x1p-21f + 0x1p-28f;
        if (!(std::fabs(sum(r, b) - wanted) <= within) || (d(r, b) > 0 && peak != 127))
          return false;
      }
    return true;
  }

private:
  size_t codeAt(size_t row, size_t column) const {
    if (order == RowOrder::kRows)
      return row * columns + column;
    const size_t tile = row / 16, g = row % 8, block = column / 32, half = column / 16 % 2, q = column % 16 / 4;
    if (order == RowOrder::kEightRows)
      return (block * 32 + 4 * row + q) * 8 + 4 * half + column % 4;
    const size_t lane = 4 * g + q, word = 2 * (row % 16 / 8) + half;
    return ((tile * (columns / 32) + block) * 32 + lane) * 16 + 4 * word + column % 4;
  }
  /// The byte of the block's d.
  size_t scaleAt(size_t row, size_t block) const {
    if (order == RowOrder::kRows)
      return 8 * (row * (columns / 32) + block);
    if (order == RowOrder::kEightRows)
      return 8 * (block * 8 + row);
    return (row / 16 * (columns / 32) + block) * 128 + row % 8 * 8 + row % 16 / 8 * 4;
  }
  template <typename T>
  T word(size_t byte) const {
    T value;
    std::memcpy(&value, reinterpret_cast<const char*>(scales.data()) + byte, 4);
    return value;
  }
  template <typename T>
  void setWord(size_t byte, T value) {
    std::memcpy(reinterpret_cast<char*>(scales.data()) + byte, &value, 4);
  }
};

} // namespace llcuda::testing
