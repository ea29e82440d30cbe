// SPDX-License-Identifier: Apache-2.0
// A GBNF grammar as it was read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda::text::gbnf {

/// Code points as ranges, both ends included: ascending, and none touches the next.
class CharSet {
public:
  static constexpr uint32_t kLast = 0x10ffff;

  void add(uint32_t first, uint32_t last);
  CharSet complement() const;
  bool intersects(const CharSet& other) const;
  void add(const CharSet& other);
  const std::vector<std::pair<uint32_t, uint32_t>>& ranges() const { return parts; }

private:
  std::vector<std::pair<uint32_t, uint32_t>> parts;
};

enum class NodeKind { kChars, kToken, kSequence, kChoice, kRepeat, kRule };

struct Node {
  static constexpr uint32_t kNoLimit = UINT32_MAX;

  NodeKind kind = NodeKind::kSequence;
  CharSet chars;                  ///< one of them
  std::string token;              ///< a special token as Lark writes it: `<name>` or `<[id]>`
  std::vector<uint32_t> children; ///< nodes; of a repetition one
  uint32_t min = 1, max = 1;      ///< of a repetition
  uint32_t rule = 0;              ///< that is named here
};

struct Rule {
  std::string name;
  uint32_t body = 0; ///< a node
};

struct Grammar {
  std::vector<Node> nodes;
  std::vector<Rule> rules;
  uint32_t root = 0; ///< rule
};

/// Every rule that is named is there. A rule that is written twice counts as it was written last, as in llama.cpp.
Result<Grammar> parse(std::string_view text);

} // namespace llcuda::text::gbnf
