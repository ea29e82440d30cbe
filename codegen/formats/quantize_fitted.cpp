// SPDX-License-Identifier: Apache-2.0
// Super-blocks of 256 in small groups, and blocks of 32 where some elements count more. Of each group several step
// sizes are tried: the codes of a step, then the scale (and minimum) of least weighted squared error for those codes;
// the best one stays. The groups' scales are then rounded to their few bits, and the codes made again from the scales
// as they are stored.
//
// Heavier weights make large values, which matter more, exact. Sums run over four lanes in a fixed order, so that every
// machine finds the same codes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "codegen/formats/quantize_blocks.h"

namespace llcuda::formats {
namespace {

using Lanes = float __attribute__((vector_size(16)));
using Bits = int32_t __attribute__((vector_size(16)));

constexpr int kSuperBlock = 256;

Lanes load(const float* values) {
  Lanes lanes;
  std::memcpy(&lanes, values, sizeof lanes);
  return lanes;
}

float sum(Lanes lanes) {
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

Lanes magnitude(Lanes lanes) {
  return reinterpret_cast<Lanes>(reinterpret_cast<Bits>(lanes) & 0x7FFFFFFF);
}

/// The nearest integers, ties to even, of values below 2^22: adding 1.5 * 2^23 leaves no room for a fraction.
Lanes nearest(Lanes lanes) {
  constexpr float kShift = 0x1.8p23f;
  return (lanes + kShift) - kShift;
}

Lanes atLeast(Lanes lanes, float low) {
  const Lanes lows = Lanes{} + low;
  return lanes > lows ? lanes : lows;
}

Lanes atMost(Lanes lanes, float high) {
  const Lanes highs = Lanes{} + high;
  return lanes < highs ? lanes : highs;
}

float inverse(float scale) {
  return scale == 0 ? 0 : 1 / scale;
}

/// The code of least error for `value` = scale * code, within low ... high.
int scaleCode(float value, float steps, float low, float high) {
  return static_cast<int>(std::clamp(std::round(value * steps), low, high));
}

/// Twice the mean square: what an element's square is added to, so that small elements count too where they matter.
float spreadOf(const float* values, int elements) {
  Lanes squares = {};
  for (int i = 0; i < elements; i += 4) squares += load(values + i) * load(values + i);
  return 2 * sum(squares) / static_cast<float>(elements);
}

Lanes roots(Lanes lanes) {
  return Lanes{std::sqrt(lanes[0]), std::sqrt(lanes[1]), std::sqrt(lanes[2]), std::sqrt(lanes[3])};
}

/// The codes of a group whose values are (code - kOffset) / steps - minimum, within 0 ... kMaxCode.
template <int kElements, int kMaxCode, int kOffset>
void storeCodes(const float* values, float steps, float minimum, uint8_t* codes) {
  for (int i = 0; i < kElements; i += 4) {
    const Lanes code = nearest(atMost(atLeast((load(values + i) + minimum) * steps, -kOffset), kMaxCode - kOffset));
    for (int lane = 0; lane < 4; ++lane) codes[i + lane] = static_cast<uint8_t>(static_cast<int>(code[lane]) + kOffset);
  }
}

// --- Q4_K and Q5_K: groups of 32, value ~ scale * code - minimum ---

constexpr int kAffineGroup = 32;

/// Both are not negative: a group that lies above zero has the minimum 0.
struct AffineFit {
  float scale = 0, minimum = 0;
};

/// Sums over a group for one set of codes, weighted.
struct AffineSums {
  float codes, squares, products; ///< of code, code * code, code * value
};

struct AffineError {
  float squares, minimum;
};

struct AffineGroup {
  AffineGroup() = default;
  /// `spread` is that of the super-block, for `importance`.
  AffineGroup(const float* values, const float* importance, float spread) {
    Lanes squares = {};
    low = high = values[0];
    for (int i = 0; i < kAffineGroup; ++i) {
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
    }
    low = std::min(low, 0.f);
    for (int v = 0; v < kVectors; ++v) {
      x[v] = load(values + 4 * v);
      aboveLow[v] = x[v] - low;
      squares += x[v] * x[v];
    }
    const float rms = std::sqrt(sum(squares) / kAffineGroup);
    Lanes weights = {}, weighted = {};
    for (int v = 0; v < kVectors; ++v) {
      weight[v] = importance ? load(importance + 4 * v) * roots(spread + x[v] * x[v]) : rms + magnitude(x[v]);
      weights += weight[v];
      weighted += weight[v] * x[v];
    }
    weightSum = sum(weights);
    valueSum = sum(weighted);
  }

  AffineSums sumsAt(float steps, int maxCode) const {
    Lanes codes = {}, squares = {}, products = {};
    for (int v = 0; v < kVectors; ++v) {
      const Lanes code = nearest(atMost(aboveLow[v] * steps, static_cast<float>(maxCode)));
      const Lanes weighted = weight[v] * code;
      codes += weighted;
      squares += weighted * code;
      products += weighted * x[v];
    }
    return {sum(codes), sum(squares), sum(products)};
  }

  /// The error with a scale and a minimum as they are stored, and the minimum of least error for the codes.
  AffineError errorWith(float scale, float minimum, int maxCode) const {
    const float steps = inverse(scale);
    Lanes squares = {}, distances = {};
    for (int v = 0; v < kVectors; ++v) {
      const Lanes code = nearest(atMost(atLeast((x[v] + minimum) * steps, 0), static_cast<float>(maxCode)));
      const Lanes distance = code * scale - x[v]; // that of code and value, which is the minimum where they agree
      const Lanes error = distance - minimum;
      squares += weight[v] * error * error;
      distances += weight[v] * distance;
    }
    return {sum(squares), weightSum > 0 ? sum(distances) / weightSum : minimum};
  }

  static constexpr int kVectors = kAffineGroup / 4;
  Lanes x[kVectors];
  Lanes aboveLow[kVectors]; ///< x - low
  Lanes weight[kVectors];
  float low, high; ///< of the values; low is not above 0
  float weightSum, valueSum;
};

/// The least-squares fit for given codes, and by how much it lowers the error below that of all zeros.
struct ScoredFit {
  AffineFit fit;
  float gain;
};

ScoredFit solve(const AffineGroup& group, const AffineSums& sums) {
  const float determinant = group.weightSum * sums.squares - sums.codes * sums.codes;
  if (determinant <= 0)
    return {{}, -1};
  const float offset = (sums.squares * group.valueSum - sums.codes * sums.products) / determinant;
  if (offset > 0) { // without a minimum
    const float scale = sums.products / sums.squares;
    return {{scale, 0}, scale * sums.products};
  }
  const float scale = (group.weightSum * sums.products - sums.codes * group.valueSum) / determinant;
  return {{scale, -offset}, scale * sums.products + offset * group.valueSum};
}

/// Tries steps that spread the range over kMaxCode + kFirst ... kMaxCode + kLast codes, a tenth apart.
template <int kMaxCode, int kFirstTenth, int kLastTenth>
AffineFit fitAffine(const AffineGroup& group) {
  const float range = group.high - group.low;
  if (!(range > 0))
    return {0, -group.low};
  ScoredFit best = {{range / kMaxCode, -group.low}, -1};
  for (int tenth = kFirstTenth; tenth <= kLastTenth; tenth += 2) {
    const float steps = (kMaxCode + 0.1f * static_cast<float>(tenth)) / range;
    const ScoredFit tried = solve(group, group.sumsAt(steps, kMaxCode));
    if (tried.gain > best.gain && tried.fit.scale > 0)
      best = tried;
  }
  return best.fit;
}

/// Scale and minimum of a group as they are stored, in six bits each.
struct AffineCodes {
  int scale, minimum;
};

/// Of the codes next to those that round `fit`, the two of least error: what a step of the scale changes, another
/// minimum makes good in part.
template <int kMaxCode>
AffineCodes roundedFit(const AffineGroup& group, const AffineFit& fit, float d, float dmin) {
  const float minimumSteps = inverse(dmin);
  const int scale = scaleCode(fit.scale, inverse(d), 0, 63), minimum = scaleCode(fit.minimum, minimumSteps, 0, 63);
  AffineCodes best = {scale, minimum};
  float least = std::numeric_limits<float>::infinity();
  for (int s = std::max(scale - 1, 0); s <= std::min(scale + 1, 63); ++s) {
    int m = minimum;
    for (int round = 0; round < 3; ++round) {
      const AffineError error = group.errorWith(d * static_cast<float>(s), dmin * static_cast<float>(m), kMaxCode);
      if (error.squares < least) {
        least = error.squares;
        best = {s, m};
      }
      m = scaleCode(error.minimum, minimumSteps, 0, 63);
    }
  }
  return best;
}

/// Six bits of scale and six of minimum of each group, as scaleOfGroup and minOfGroup read them.
void storeGroupScales(const uint8_t (&scales)[8], const uint8_t (&minima)[8], uint8_t (&out)[12]) {
  for (int j = 0; j < 4; ++j) {
    out[j] = static_cast<uint8_t>(scales[j] | (scales[j + 4] >> 4) << 6);
    out[j + 4] = static_cast<uint8_t>(minima[j] | (minima[j + 4] >> 4) << 6);
    out[j + 8] = static_cast<uint8_t>((scales[j + 4] & 15) | (minima[j + 4] & 15) << 4);
  }
}

template <typename Block, int kMaxCode, int kFirstTenth, int kLastTenth>
void quantizeAffine(const float* values, const float* importance, Block& block, uint8_t (&codes)[kSuperBlock]) {
  const float spread = importance ? spreadOf(values, kSuperBlock) : 0;
  AffineGroup groups[8];
  AffineFit fits[8];
  float largestScale = 0, largestMinimum = 0;
  for (int g = 0; g < 8; ++g) {
    const float* groupImportance = importance ? importance + g * kAffineGroup : nullptr;
    groups[g] = AffineGroup(values + g * kAffineGroup, groupImportance, spread);
    fits[g] = fitAffine<kMaxCode, kFirstTenth, kLastTenth>(groups[g]);
    largestScale = std::max(largestScale, fits[g].scale);
    largestMinimum = std::max(largestMinimum, fits[g].minimum);
  }
  block.d = floatToHalf(largestScale / 63);
  block.dmin = floatToHalf(largestMinimum / 63);
  const float d = halfToFloat(block.d), dmin = halfToFloat(block.dmin);
  uint8_t scales[8], minima[8];
  for (int g = 0; g < 8; ++g) {
    const AffineCodes rounded = roundedFit<kMaxCode>(groups[g], fits[g], d, dmin);
    scales[g] = static_cast<uint8_t>(rounded.scale);
    minima[g] = static_cast<uint8_t>(rounded.minimum);
    storeCodes<kAffineGroup, kMaxCode, 0>(values + g * kAffineGroup, inverse(d * scales[g]), dmin * minima[g],
                                          codes + g * kAffineGroup);
  }
  storeGroupScales(scales, minima, block.scales);
}

/// Of each 64 codes 32 bytes: the first 32 in the low nibbles.
void storeNibbles(const uint8_t (&codes)[kSuperBlock], uint8_t (&out)[128]) {
  for (int j = 0; j < 128; ++j) {
    const uint8_t* low = codes + j / 32 * 64 + j % 32;
    out[j] = static_cast<uint8_t>((low[0] & 15) | (low[32] & 15) << 4);
  }
}

// --- Q6_K, groups of 16, and Q4_0 and Q5_0: value ~ scale * code, codes around zero ---

/// The scale of least error over codes -kHalf ... kHalf - 1 with these weights, of which some are not zero; without
/// weights values weigh their square. Steps place the peak at -kHalf and near it.
template <int kElements, int kHalf>
float fitCentered(const float* values, const float* weights) {
  constexpr int kVectors = kElements / 4;
  float peak = 0;
  for (int i = 0; i < kElements; ++i)
    if (std::fabs(values[i]) > std::fabs(peak))
      peak = values[i];
  if (std::fabs(peak) < 1e-15f)
    return 0;
  Lanes x[kVectors], weight[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    x[v] = load(values + 4 * v) * (1 / peak); // the squares of small values stay in range
    weight[v] = weights ? load(weights + 4 * v) : x[v] * x[v];
  }
  float best = 0, bestGain = -1;
  for (int tenth = -9; tenth <= 9; ++tenth) {
    const float steps = -(kHalf + 0.1f * static_cast<float>(tenth));
    Lanes squares = {}, products = {};
    for (int v = 0; v < kVectors; ++v) {
      const Lanes code = nearest(atMost(atLeast(x[v] * steps, -kHalf), kHalf - 1));
      squares += weight[v] * code * code;
      products += weight[v] * code * x[v];
    }
    const float square = sum(squares), product = sum(products);
    if (square > 0 && product * product > bestGain * square) {
      bestGain = product * product / square;
      best = product / square;
    }
  }
  return best * peak;
}

/// A block of 32 of one scale, its codes raised by kHalf.
template <int kHalf>
uint16_t fitBlock(const float* values, const float* importance, uint8_t (&codes)[32]) {
  const float spread = spreadOf(values, 32);
  float weights[32];
  for (int i = 0; i < 32; ++i) weights[i] = importance[i] * std::sqrt(spread + values[i] * values[i]);
  const uint16_t d = floatToHalf(fitCentered<32, kHalf>(values, weights));
  storeCodes<32, 2 * kHalf - 1, kHalf>(values, inverse(halfToFloat(d)), 0, codes);
  return d;
}

} // namespace

void quantizeFitted(const float* values, const float* importance, BlockQ4_0& block) {
  uint8_t codes[32];
  block.d = fitBlock<8>(values, importance, codes);
  storeNibbles(codes, block.codes);
}

void quantizeFitted(const float* values, const float* importance, BlockQ5_0& block) {
  uint8_t codes[32];
  block.d = fitBlock<16>(values, importance, codes);
  storeNibbles(codes, block.codes);
  storeFifthBits(codes, block.highBits);
}

void quantizeFitted(const float* values, const float* importance, BlockQ4_K& block) {
  uint8_t codes[kSuperBlock];
  quantizeAffine<BlockQ4_K, 15, -10, 10>(values, importance, block, codes);
  storeNibbles(codes, block.codes);
}

void quantizeFitted(const float* values, const float* importance, BlockQ5_K& block) {
  uint8_t codes[kSuperBlock];
  quantizeAffine<BlockQ5_K, 31, -5, 10>(values, importance, block, codes);
  storeNibbles(codes, block.codes);
  std::memset(block.highBits, 0, sizeof block.highBits);
  for (int i = 0; i < kSuperBlock; ++i) block.highBits[i % 32] |= static_cast<uint8_t>((codes[i] >> 4) << (i / 32));
}

void quantizeFitted(const float* values, const float* importance, BlockQ6_K& block) {
  constexpr int kCenteredGroup = 16;
  float scales[16], peak = 0;
  for (int g = 0; g < 16; ++g) {
    scales[g] = fitCentered<kCenteredGroup, 32>(values + g * kCenteredGroup,
                                                importance ? importance + g * kCenteredGroup : nullptr);
    if (std::fabs(scales[g]) > std::fabs(peak))
      peak = scales[g];
  }
  block.d = floatToHalf(peak / -128);
  const float d = halfToFloat(block.d), scaleSteps = inverse(d);
  std::memset(block.lowBits, 0, sizeof block.lowBits);
  std::memset(block.highBits, 0, sizeof block.highBits);
  uint8_t codes[kSuperBlock];
  for (int g = 0; g < 16; ++g) {
    block.scales[g] = static_cast<int8_t>(scaleCode(scales[g], scaleSteps, -128, 127));
    storeCodes<kCenteredGroup, 63, 32>(values + g * kCenteredGroup, inverse(d * block.scales[g]), 0,
                                       codes + g * kCenteredGroup);
  }
  for (int i = 0; i < kSuperBlock; ++i) {
    const int half = i / 128, within = i % 128;
    block.lowBits[half * 64 + within % 64] |= static_cast<uint8_t>((codes[i] & 15) << (within < 64 ? 0 : 4));
    block.highBits[half * 32 + within % 32] |= static_cast<uint8_t>((codes[i] >> 4) << (within / 32 * 2));
  }
}

} // namespace llcuda::formats
