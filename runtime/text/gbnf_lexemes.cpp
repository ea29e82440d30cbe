// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/gbnf_lexemes.h"

#include <algorithm>
#include <charconv>

#include "runtime/text/gbnf_conflicts.h"

namespace llcuda::text::gbnf {
namespace {

constexpr uint32_t kTooMany = 1001;   // classes of characters in one piece
constexpr uint32_t kMostChained = 50; // rules that name one another in a piece
constexpr int kMostRounds = 40;

std::string hex(uint32_t value) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value, 16).ptr;
  return "\\x{" + std::string(digits, end) + "}";
}

void writeChars(std::string& out, const CharSet& chars) {
  const auto& ranges = chars.ranges();
  if (ranges.size() == 1 && ranges[0].first == ranges[0].second) {
    out += hex(ranges[0].first);
    return;
  }
  out += '[';
  for (const auto& [first, last] : ranges) {
    out += hex(first);
    if (last != first)
      out += '-' + hex(last);
  }
  out += ']';
}

void writeCounts(std::string& out, uint32_t min, uint32_t max) {
  if (min == 0 && max == Node::kNoLimit)
    out += '*';
  else if (min == 1 && max == Node::kNoLimit)
    out += '+';
  else if (max == Node::kNoLimit)
    out += detail::concat('{', min, ",}");
  else
    out += detail::concat('{', min, ',', max, '}');
}

} // namespace

Lexemes::Lexemes(const Grammar& grammar)
    : grammar(grammar), facts(grammar.nodes.size()), ruleFacts(grammar.rules.size()),
      isTakenApart(grammar.nodes.size()) {
  findFacts();
  for (int round = 0; round < kMostRounds; ++round) {
    const Conflicts found = conflictsOf(grammar, [this](uint32_t node) { return of(node); });
    for (const uint32_t node : found.nodes) isTakenApart[node] = true;
    if (found.nodes.empty() && found.isComplete)
      return;
    if (!found.isComplete)
      break;
  }
  // Too much to look at: single characters are always right.
  for (uint32_t node = 0; node < grammar.nodes.size(); ++node)
    isTakenApart[node] = grammar.nodes[node].kind != NodeKind::kChars;
}

Lexemes::Facts Lexemes::factsOf(const Node& node) const {
  Facts all = {true, node.kind != NodeKind::kChoice, 0};
  const auto add = [&](uint32_t positions) { all.positions = std::min(kTooMany, all.positions + positions); };
  switch (node.kind) {
  case NodeKind::kChars:
    return {true, false, 1};
  case NodeKind::kToken:
    return {false, false, 0};
  case NodeKind::kRule:
    return ruleFacts[node.rule];
  default:
    break;
  }
  for (const uint32_t child : node.children) {
    const Facts& one = facts[child];
    all.isRegular &= one.isRegular;
    all.isNullable =
        node.kind == NodeKind::kChoice ? all.isNullable || one.isNullable : all.isNullable && one.isNullable;
    add(one.positions);
  }
  if (node.kind == NodeKind::kRepeat)
    all.isNullable |= node.min == 0;
  return all;
}

/// Rules become regular, and nullable, from those that name no others on.
void Lexemes::findFacts() {
  bool isChanged = true;
  for (uint32_t pass = 0; isChanged; ++pass) {
    isChanged = false;
    for (uint32_t node = 0; node < facts.size(); ++node) facts[node] = factsOf(grammar.nodes[node]);
    for (uint32_t rule = 0; rule < ruleFacts.size(); ++rule) {
      Facts body = facts[grammar.rules[rule].body];
      body.isRegular &= ruleFacts[rule].isRegular || pass < kMostChained;
      if (!body.isRegular)
        body.positions = 0;
      if (body.isRegular == ruleFacts[rule].isRegular && body.isNullable == ruleFacts[rule].isNullable &&
          body.positions == ruleFacts[rule].positions)
        continue;
      isChanged = true;
      ruleFacts[rule] = body;
    }
  }
}

bool Lexemes::isEmptySequence(uint32_t node) const {
  return grammar.nodes[node].kind == NodeKind::kSequence && grammar.nodes[node].children.empty();
}

Reading Lexemes::of(uint32_t index) const {
  const Node& node = grammar.nodes[index];
  const Facts& own = facts[index];
  if (isTakenApart[index] || !own.isRegular || own.positions >= kTooMany || node.kind == NodeKind::kRule)
    return Reading::kParts;
  if (!own.isNullable)
    return Reading::kLexeme;
  if (node.kind == NodeKind::kRepeat && node.max != 0 && !facts[node.children[0]].isNullable)
    return Reading::kOptionalLexeme;
  if (node.kind == NodeKind::kChoice && own.positions != 0 && std::ranges::all_of(node.children, [&](uint32_t child) {
        return isEmptySequence(child) || !facts[child].isNullable;
      }))
    return Reading::kOptionalLexeme;
  return Reading::kParts;
}

std::string Lexemes::regex(uint32_t node) const {
  std::string out;
  write(out, node, true);
  return out;
}

void Lexemes::write(std::string& out, uint32_t index, bool skipsEmpty) const {
  const Node& node = grammar.nodes[index];
  switch (node.kind) {
  case NodeKind::kChars:
    writeChars(out, node.chars);
    return;
  case NodeKind::kRule:
    write(out, grammar.rules[node.rule].body, false);
    return;
  case NodeKind::kRepeat:
    out += "(?:";
    write(out, node.children[0], false);
    out += ')';
    writeCounts(out, skipsEmpty ? std::max(node.min, 1u) : node.min, node.max);
    return;
  case NodeKind::kChoice: {
    out += "(?:";
    bool isFirst = true;
    for (const uint32_t child : node.children) {
      if (skipsEmpty && isEmptySequence(child))
        continue;
      if (!isFirst)
        out += '|';
      isFirst = false;
      write(out, child, false);
    }
    out += ')';
    return;
  }
  default:
    for (const uint32_t child : node.children) write(out, child, false);
  }
}

} // namespace llcuda::text::gbnf
