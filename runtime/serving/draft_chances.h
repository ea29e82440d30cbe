// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace llcuda::serving {

/// How often something happens, by what happened last.
class Frequency {
public:
  /// `first`: what it is taken to be at the start. Remembers up to `last` times.
  constexpr Frequency(double first, uint32_t last) : chance(first), last(last) {}

  double value() const { return chance; }
  /// `happened`: 1 or 0, or a chance that it does.
  void follow(double happened);

private:
  double chance;
  uint32_t last, count = 0;
};

/// How often guesses of a draft model are right, by how sure it was of them.
class DraftChances {
public:
  DraftChances();

  /// `sure`: the probability that the draft model gave its guess.
  double of(double sure) const { return records[classOf(sure)].value(); }
  void follow(double sure, bool right) { records[classOf(sure)].follow(right ? 1 : 0); }

private:
  static constexpr std::array kBounds = {0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 0.995};
  static std::size_t classOf(double sure);

  std::array<Frequency, kBounds.size() + 1> records;
};

} // namespace llcuda::serving
