// SPDX-License-Identifier: Apache-2.0
// Which parts of a GBNF grammar a lexer may read as one piece.
//
// GBNF has no lexer: any character may belong to any rule that fits. Lark's lexer always reads the longest piece that
// is allowed where it stands, and does not come back from it. A part may be a piece, a lexeme, only if that never
// matters: wherever a piece is complete, no character that may follow it in the grammar can continue this piece or
// another one that may stand in the same place. Parts begin as large as they can be, and those in doubt are taken
// apart, down to single characters, of which it is true always.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/text/gbnf_grammar.h"

namespace llcuda::text::gbnf {

/// How a node is read.
enum class Reading {
  kParts,          ///< what it is made of is read
  kLexeme,         ///< as one piece
  kOptionalLexeme, ///< as one piece, or it is empty
};

class Lexemes {
public:
  explicit Lexemes(const Grammar& grammar);

  Reading of(uint32_t node) const;
  /// The regex of a node that is read as a piece, without its being empty.
  std::string regex(uint32_t node) const;

private:
  struct Facts {
    bool isRegular = false; ///< it names no rule that leads to itself
    bool isNullable = false;
    uint32_t positions = 0; ///< classes of characters in it, those of rules that it names included; at most kTooMany
  };

  void findFacts();
  Facts factsOf(const Node& node) const;
  bool isEmptySequence(uint32_t node) const;
  void write(std::string& out, uint32_t node, bool skipsEmpty) const;

  const Grammar& grammar;
  std::vector<Facts> facts;       // of nodes
  std::vector<Facts> ruleFacts;   // of rules
  std::vector<bool> isTakenApart; // nodes
};

} // namespace llcuda::text::gbnf
