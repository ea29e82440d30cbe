// SPDX-License-Identifier: Apache-2.0
// Weights and rows as tests of decode kernels need them: as the kernel reads them, and as its reference does.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

#include "codegen/formats/dequantize.h"
#include "codegen/kernels/base/device.cuh"
#include "codegen/pack/pack.h"
#include "codegen/reference/quantize_rows.h"
#include "tests/codegen/kernels/int8_rows.h"
#include "tests/codegen/random_blocks.h"

namespace llcuda::testing {

inline std::vector<float> normalFloats(size_t count, uint32_t seed, float spread = 1.f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.f, spread);
  std::vector<float> values(count);
  for (float& v : values) v = normal(generator);
  return values;
}

/// Whether weights are values of a table that kernels take in steps of their own.
constexpr bool hasFourBitTable(WeightLayout layout) {
  return weightFacts(layout).product == WeightProduct::kInt8Levels;
}

/// The encoding that a layout is for.
inline formats::TensorType sourceOf(WeightLayout layout) {
  for (const formats::TensorTypeInfo& info : formats::tensorTypes())
    if (info.layout == layout)
      return info.type;
  throw std::logic_error("a layout without a source");
}

struct TestWeight {
  std::vector<uint8_t> blob;
  std::vector<float> values; ///< [rows][columns]

  TestWeight(WeightLayout layout, size_t rows, size_t columns, uint32_t seed)
      : blob(pack::packedBytes(layout, rows, columns).value()), values(rows * columns) {
    const formats::TensorType type = sourceOf(layout);
    const std::vector<std::byte> tensor = randomTensor(type, rows * columns, seed);
    formats::dequantizeRow(type, tensor.data(), rows * columns, values.data());
    if (auto result = pack::pack(layout, rows, columns, {}, type, tensor, std::as_writable_bytes(std::span(blob)));
        !result)
      throw std::runtime_error(result.error().message);
  }
};

/// Rows in both forms; int8 rows by themselves and, of up to 8, as linears of so many read them.
struct TestRows {
  size_t columns;
  std::vector<float> x;
  std::vector<int8_t> codes;
  std::vector<reference::RowScale> scales;
  Int8Rows few;

  TestRows(size_t rows, size_t columns, uint32_t seed) : TestRows(normalFloats(rows * columns, seed), rows, columns) {}
  TestRows(std::vector<float> values, size_t rows, size_t columns)
      : columns(columns), x(std::move(values)), codes(rows * columns), scales(rows * columns / 32),
        few(rows <= 8 ? fewRowsOrder(static_cast<unsigned>(rows)) : RowOrder::kRows, rows, columns) {
    reference::quantizeRows(x.data(), rows, columns, codes.data(), scales.data());
    copyTo(few);
  }

  const float2* scaleData() const { return reinterpret_cast<const float2*>(scales.data()); }
  /// As linears of many rows read them.
  Int8Rows fragments() const {
    const size_t rows = x.size() / columns;
    Int8Rows made(RowOrder::kFragments, rows, columns);
    copyTo(made);
    return made;
  }
  /// What a layout reads: the quantised values, or x.
  std::vector<double> seenBy(WeightLayout layout) const {
    std::vector<double> seen(x.begin(), x.end());
    if (weightReadsInt8Rows(layout))
      reference::dequantizeRows(codes.data(), scales.data(), x.size(), seen.data());
    return seen;
  }

private:
  void copyTo(Int8Rows& made) const {
    for (size_t r = 0; r < made.rows; ++r)
      for (size_t b = 0; b < columns / 32; ++b) {
        const reference::RowScale& scale = scales[r * (columns / 32) + b];
        made.setBlock(r, b, &codes[r * columns + 32 * b], scale.d, scale.dSum);
      }
  }
};

/// Mean square of the difference over the mean square of what is wanted; infinite for a value that is not finite.
template <typename Wanted>
double nmse(const std::vector<float>& got, const std::vector<Wanted>& wanted) {
  double error = 0, power = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    error += (got[i] - wanted[i]) * (got[i] - wanted[i]);
    power += wanted[i] * wanted[i];
  }
  return got.size() != wanted.size() || !std::isfinite(error) ? INFINITY : error == 0 ? 0 : error / power;
}

} // namespace llcuda::testing
