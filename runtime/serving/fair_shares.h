// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace llcuda::serving {

/// Deficit round-robin over keys: in each round every key that has requests may use a quantum of tokens more, and a
/// request is served in the round in which its key has what it costs. What a key saves while it has no requests is
/// lost.
class FairShares {
public:
  explicit FairShares(uint64_t quantum = 64) : quantum(quantum) {}

  /// A request of the key is there, from now until leave().
  void join(const std::string& key);
  void leave(const std::string& key);
  /// The key has used tokens, of a prompt or an answer.
  void charge(const std::string& key, uint64_t tokens) { shares.at(key).used += tokens; }

  struct Waiting {
    const std::string* key;
    uint64_t cost; ///< tokens
  };
  /// The round of each of these, which come in the order in which each key wants its own.
  std::vector<uint64_t> rounds(std::span<const Waiting> waiting) const;

private:
  struct Share {
    uint64_t used = 0;
    uint32_t requests = 0;
  };

  uint64_t quantum;
  std::map<std::string, Share> shares;
};

} // namespace llcuda::serving
