// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/dynamic8.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace llcuda::formats {
namespace {

constexpr int kExponents = 7;
constexpr int kPlaces = 65536;
constexpr double kHalf = (kPlaces - 1) / 2.0;

/// Point i of `intervals` + 1 evenly from 0.1 to 1, counted from the nearer end, with one rounding.
float evenly(int i, int intervals) {
  const float step = (1.f - 0.1f) / static_cast<float>(intervals);
  if (i < (intervals + 1) / 2)
    return std::fma(step, static_cast<float>(i), 0.1f);
  return std::fma(-step, static_cast<float>(intervals - i), 1.f);
}

/// Each power of ten has twice as many values as the one below it, in the middle of even intervals.
std::array<float, 256> makeValues() {
  constexpr float kPowers[kExponents] = {1e-6f, 1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1.f};
  std::array<float, 256> values = {0.f, 1.f};
  size_t next = 2;
  for (int exponent = 0; exponent < kExponents; ++exponent) {
    const int intervals = 1 << exponent;
    for (int i = 0; i < intervals; ++i) {
      const float middle = (evenly(i, intervals) + evenly(i + 1, intervals)) / 2.f;
      const float value = kPowers[exponent] * middle;
      values[next++] = value;
      values[next++] = -value;
    }
  }
  std::ranges::sort(values);
  return values;
}

std::vector<uint8_t> makeCodes() {
  const std::array<float, 256>& values = dynamic8Values();
  std::vector<uint8_t> codes(kPlaces);
  size_t code = 0;
  for (int place = 0; place < kPlaces; ++place) {
    const double value = place / kHalf - 1;
    while (code < 255 && value > (double{values[code]} + double{values[code + 1]}) / 2) ++code;
    codes[static_cast<size_t>(place)] = static_cast<uint8_t>(code);
  }
  return codes;
}

} // namespace

const std::array<float, 256>& dynamic8Values() {
  static const std::array<float, 256> values = makeValues();
  return values;
}

float quantizeDynamic8(const float* values, std::size_t elements, uint8_t* codes) {
  static const std::vector<uint8_t> table = makeCodes();
  float absmax = 0;
  for (std::size_t i = 0; i < elements; ++i) absmax = std::max(absmax, std::fabs(values[i]));
  if (absmax == 0) { // any code will do, and theirs is this one
    std::fill_n(codes, elements, uint8_t{0});
    return absmax;
  }
  for (std::size_t i = 0; i < elements; ++i) {
    const float place = (values[i] / absmax + 1.f) * static_cast<float>(kHalf) + 0.5f;
    codes[i] = table[std::min(static_cast<size_t>(place), table.size() - 1)];
  }
  return absmax;
}

} // namespace llcuda::formats
