// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/serving/ngram_lookup.h"

namespace llcuda::serving {

/// What may come next in a sequence.
struct Guess {
  std::vector<int32_t> tokens;
  std::vector<double> chances; ///< that all up to each of them come
};

/// Guesses of one sequence by what stood in it before. Where what is said again is said otherwise for some tokens, they
/// go on as soon as one token stands near the place that was reached. Each token that comes is compared with the guess
/// of it, whether that was used or not: so chances are known without trying.
class NgramDrafter {
public:
  /// As of NgramLookup. The sequence so far is looked up and not judged.
  NgramDrafter(uint32_t least, uint32_t capacity, std::span<const int32_t> tokens);

  /// `tokens` is the whole sequence.
  void follow(std::span<const int32_t> tokens);
  /// Up to `most` tokens behind those of the last follow() and `skipped` more, which are on their way: chances count
  /// that these come too.
  Guess guess(std::span<const int32_t> tokens, uint32_t skipped, uint32_t most) const;

private:
  static constexpr std::size_t kClasses = 5;
  /// Longer matches are right more often: classes of lengths by doubling.
  std::size_t classOf(uint32_t length) const;
  NgramLookup::Match nearPlace(std::span<const int32_t> tokens) const;
  struct Record {
    double chance;
    uint32_t count = 0;
  };
  /// Of the guess `ahead` tokens behind the first one.
  const Record& recordOf(uint32_t ahead) const {
    return isResumed && ahead == 0 ? resumed : records[classOf(match.length + ahead)];
  }

  const uint32_t least;
  NgramLookup lookup;
  NgramLookup::Match match;
  uint32_t known;         ///< tokens
  uint32_t place = 0;     ///< index of what would come next if the last match had gone on; 0: there was none
  bool isResumed = false; ///< the match is a token near that place
  std::array<Record, kClasses> records;
  Record resumed{0.6};
};

} // namespace llcuda::serving
