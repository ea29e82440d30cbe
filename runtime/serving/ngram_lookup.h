// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llcuda::serving {

/// Finds where the end of a sequence stood in it before.
class NgramLookup {
public:
  static constexpr uint32_t kLongest = 64; ///< of a match, as far as it is looked at

  /// What a match has at least, 1 to kLongest tokens; `capacity`: tokens that the sequence may come to have.
  NgramLookup(uint32_t least, uint32_t capacity);

  /// `tokens` is the whole sequence: what was handed in before, and what has come since.
  void follow(std::span<const int32_t> tokens);

  struct Match {
    uint32_t length = 0; ///< 0: there is none
    uint32_t next = 0;   ///< index of the token that followed
  };
  /// The longest match of the sequence as follow() had it last; of equally long ones the newest.
  Match find(std::span<const int32_t> tokens) const;

private:
  std::size_t bucketOf(std::span<const int32_t> tokens, uint32_t end) const;

  const uint32_t least;
  std::vector<uint32_t> newest; ///< of each bucket, where such an n-gram ends
  std::vector<uint32_t> before; ///< of each end, the one before it in its bucket
};

} // namespace llcuda::serving
