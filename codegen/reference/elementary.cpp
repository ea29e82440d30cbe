// SPDX-License-Identifier: Apache-2.0
#include "codegen/reference/elementary.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace llcuda::reference {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ln 2 and pi / 2 as sums whose leading parts have trailing zero bits: a multiple of them by a small integer is exact.
constexpr double kLn2High = 0x1.62e42fefap-1;
constexpr double kLn2Low = 0x1.cf79abc9e3b39p-40;
constexpr double kHalfPiHigh = 0x1.921fb544p+0;
constexpr double kHalfPiMiddle = 0x1.0b4611a6p-34;
constexpr double kHalfPiLow = 0x1.3198a2e037073p-69;

double powerOfTwo(int64_t exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

// Nearest integer for |x| < 2^31, ties away from zero.
int64_t nearest(double x) {
  return static_cast<int64_t>(x < 0 ? x - 0.5 : x + 0.5);
}

// sin and cos for |x| <= pi / 4, by their series: the first term left out is below 2^-60.
double sineNearZero(double x) {
  const double square = x * x;
  double sum = 0;
  for (int n = 19; n >= 3; n -= 2) sum = (sum + 1) * (-square / (n * (n - 1)));
  return x + x * sum;
}

double cosineNearZero(double x) {
  const double square = x * x;
  double sum = 0;
  for (int n = 20; n >= 2; n -= 2) sum = (sum + 1) * (-square / (n * (n - 1)));
  return 1 + sum;
}

struct Reduced {
  double rest;  // |rest| <= pi / 4
  int quadrant; // x = quadrant * pi / 2 + rest, modulo 4
};

Reduced reduce(double x) {
  const int64_t n = nearest(x * 0.63661977236758134308);
  const double turns = static_cast<double>(n);
  const double rest = ((x - turns * kHalfPiHigh) - turns * kHalfPiMiddle) - turns * kHalfPiLow;
  return {rest, static_cast<int>(n & 3)};
}

} // namespace

double exponential(double x) {
  if (!(x <= 709.782712893384))
    return x != x ? x : kInfinity;
  if (x < -745.2)
    return 0;
  const int64_t n = nearest(x * 1.4426950408889634074);
  const double rest = (x - static_cast<double>(n) * kLn2High) - static_cast<double>(n) * kLn2Low;
  double sum = 0; // e^rest - 1 by its series, |rest| <= ln 2 / 2: 14 terms leave less than 2^-60
  for (int i = 14; i >= 2; --i) sum = (sum + 1) * (rest / i);
  const double value = 1 + (rest + rest * sum);
  // Two steps, since 2^n alone leaves the range at both ends.
  return value * powerOfTwo(n / 2) * powerOfTwo(n - n / 2);
}

double logarithm(double x) {
  if (!(x > 0))
    return x == 0 ? -kInfinity : kNan;
  if (x == kInfinity)
    return x;
  int64_t exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  exponent += static_cast<int64_t>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    ++exponent;
  }
  // ln m = 2 atanh((m - 1) / (m + 1)), |argument| <= 0.172
  const double t = (mantissa - 1) / (mantissa + 1);
  const double square = t * t;
  double sum = 0;
  for (int n = 25; n >= 3; n -= 2) sum = (sum + 1.0 / n) * square;
  const double turns = static_cast<double>(exponent);
  return turns * kLn2High + (turns * kLn2Low + 2 * (t + t * sum));
}

double hyperbolicTangent(double x) {
  const double magnitude = x < 0 ? -x : x;
  double value;
  if (magnitude > 20) {
    value = 1;
  } else if (magnitude < 0.05) { // the quotient below would lose the digits that 1 - 1 cancels
    const double square = x * x;
    value =
        magnitude * (1 + square * (-1.0 / 3 + square * (2.0 / 15 + square * (-17.0 / 315 + square * (62.0 / 2835)))));
  } else {
    const double power = exponential(2 * magnitude);
    value = (power - 1) / (power + 1);
  }
  return x != x ? x : x < 0 ? -value : value;
}

// erf x = 2 / sqrt(pi) e^(-x^2) (x + 2 x^3 / 3 + 4 x^5 / 15 + ...), all of whose terms have one sign. Past 6 it is 1.
double errorFunction(double x) {
  const double magnitude = x < 0 ? -x : x;
  double value = 1;
  if (magnitude < 6) {
    const double square = magnitude * magnitude;
    double term = magnitude, sum = magnitude;
    for (int n = 3; term > sum * 1e-17; n += 2) sum += term *= 2 * square / n;
    value = 1.12837916709551257390 * exponential(-square) * sum;
  }
  return x != x ? x : x < 0 ? -value : value;
}

double sine(double x) {
  const Reduced r = reduce(x);
  const double value = r.quadrant & 1 ? cosineNearZero(r.rest) : sineNearZero(r.rest);
  return r.quadrant & 2 ? -value : value;
}

double cosine(double x) {
  const Reduced r = reduce(x);
  const double value = r.quadrant & 1 ? sineNearZero(r.rest) : cosineNearZero(r.rest);
  return (r.quadrant == 1 || r.quadrant == 2) ? -value : value;
}

} // namespace llcuda::reference
