// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/gbnf_conflicts.h"

#include <algorithm>
#include <bit>
#include <bitset>
#include <deque>

#include "runtime/text/gbnf_lexemes.h"

namespace llcuda::text::gbnf {
namespace {

constexpr std::size_t kMostUnits = 4000;
constexpr uint64_t kMostSteps = 40'000'000;

using LeadBytes = std::bitset<256>; // first bytes of UTF-8

uint8_t leadByte(uint32_t point) {
  return static_cast<uint8_t>(point < 0x80      ? point
                              : point < 0x800   ? 0xc0 | point >> 6
                              : point < 0x10000 ? 0xe0 | point >> 12
                                                : 0xf0 | point >> 18);
}

LeadBytes leadBytes(const CharSet& chars) {
  LeadBytes bytes;
  for (const auto& [first, last] : chars.ranges())
    for (unsigned byte = leadByte(first); byte <= leadByte(last); ++byte) bytes.set(byte);
  return bytes;
}

/// A set of units.
class UnitSet {
public:
  explicit UnitSet(std::size_t units = 0) : words((units + 63) / 64) {}
  void add(uint32_t unit) { words[unit / 64] |= uint64_t{1} << unit % 64; }
  bool has(uint32_t unit) const { return words[unit / 64] >> unit % 64 & 1; }
  /// Whether that changed it.
  bool add(const UnitSet& other) {
    uint64_t isNew = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
      isNew |= other.words[i] & ~words[i];
      words[i] |= other.words[i];
    }
    return isNew != 0;
  }
  template <typename Visit>
  void forEach(const Visit& visit) const {
    for (std::size_t i = 0; i < words.size(); ++i)
      for (uint64_t rest = words[i]; rest != 0; rest &= rest - 1)
        visit(static_cast<uint32_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(rest))));
  }

private:
  std::vector<uint64_t> words;
};

/// The positions of a piece: one for each class of characters in it. Counted repetitions are taken as unlimited ones.
struct Automaton {
  std::vector<const CharSet*> chars;
  std::vector<std::vector<uint32_t>> follow; ///< positions that may come next
  std::vector<uint32_t> first;
  std::vector<bool> isLast;
};

/// What a part of a piece is made of, as positions.
struct Part {
  bool isNullable = false;
  std::vector<uint32_t> first, last;
};

class AutomatonBuilder {
public:
  AutomatonBuilder(const Grammar& grammar, uint64_t& steps) : grammar(grammar), steps(steps) {}

  Automaton build(uint32_t node) {
    const Part all = part(node);
    automaton.first = all.first;
    automaton.isLast.resize(automaton.chars.size());
    for (const uint32_t position : all.last) automaton.isLast[position] = true;
    return std::move(automaton);
  }

private:
  void connect(const std::vector<uint32_t>& from, const std::vector<uint32_t>& to) {
    steps += from.size() * to.size();
    for (const uint32_t position : from)
      automaton.follow[position].insert(automaton.follow[position].end(), to.begin(), to.end());
  }
  static void append(std::vector<uint32_t>& to, const std::vector<uint32_t>& more) {
    to.insert(to.end(), more.begin(), more.end());
  }

  Part part(uint32_t index) {
    const Node& node = grammar.nodes[index];
    switch (node.kind) {
    case NodeKind::kChars: {
      const auto position = static_cast<uint32_t>(automaton.chars.size());
      automaton.chars.push_back(&node.chars);
      automaton.follow.emplace_back();
      return {false, {position}, {position}};
    }
    case NodeKind::kRule:
      return part(grammar.rules[node.rule].body);
    case NodeKind::kRepeat: {
      Part child = part(node.children[0]);
      if (node.max > 1)
        connect(child.last, child.first);
      child.isNullable |= node.min == 0;
      return child;
    }
    case NodeKind::kChoice: {
      Part all;
      for (const uint32_t child : node.children) {
        const Part one = part(child);
        all.isNullable |= one.isNullable;
        append(all.first, one.first);
        append(all.last, one.last);
      }
      return all;
    }
    default: {
      Part all = {true, {}, {}};
      for (const uint32_t child : node.children) {
        const Part one = part(child);
        connect(all.last, one.first);
        if (all.isNullable)
          append(all.first, one.first);
        if (!one.isNullable)
          all.last.clear();
        append(all.last, one.last);
        all.isNullable &= one.isNullable;
      }
      return all;
    }
    }
  }

  const Grammar& grammar;
  uint64_t& steps;
  Automaton automaton;
};

/// A piece, or a special token, in its place.
struct Unit {
  uint32_t node;
  Automaton automaton;
  LeadBytes first;     ///< of its characters
  UnitSet next;        ///< units that may follow it
  LeadBytes nextFirst; ///< of their first characters
};

class Finder {
public:
  Finder(const Grammar& grammar, const std::function<Reading(uint32_t)>& readingOf)
      : grammar(grammar), readingOf(readingOf), unitOfNode(grammar.nodes.size(), kNone), isSeen(grammar.rules.size()) {}

  Conflicts find() {
    if (!collect())
      return {{}, false};
    relate();
    if (isTooMuch() || !findTogether())
      return {{}, false};
    Conflicts found;
    for (uint32_t a = 0; a < units.size() && !isTooMuch(); ++a)
      together[a].forEach([&](uint32_t b) {
        if (!mayGoOn(units[a], units[b]))
          return;
        const bool first = units[a].automaton.chars.size() > units[b].automaton.chars.size();
        found.nodes.push_back(units[first ? a : b].node);
      });
    found.isComplete = !isTooMuch();
    return found;
  }

private:
  static constexpr uint32_t kNone = UINT32_MAX;

  bool isTooMuch() const { return steps > kMostSteps; }

  /// The units of all rules that `root` leads to.
  bool collect() {
    std::deque<uint32_t> left = {grammar.root};
    isSeen[grammar.root] = true;
    for (; !left.empty(); left.pop_front()) {
      reached.push_back(left.front());
      collect(grammar.rules[left.front()].body, left);
      if (units.size() > kMostUnits || isTooMuch())
        return false;
    }
    return true;
  }

  void collect(uint32_t index, std::deque<uint32_t>& left) {
    const Node& node = grammar.nodes[index];
    if (node.kind == NodeKind::kRule && !isSeen[node.rule]) {
      isSeen[node.rule] = true;
      left.push_back(node.rule);
    }
    if (node.kind == NodeKind::kToken || readingOf(index) != Reading::kParts) {
      unitOfNode[index] = static_cast<uint32_t>(units.size());
      Unit unit;
      unit.node = index;
      if (node.kind != NodeKind::kToken)
        unit.automaton = AutomatonBuilder(grammar, steps).build(index);
      for (const uint32_t position : unit.automaton.first) unit.first |= leadBytes(*unit.automaton.chars[position]);
      units.push_back(std::move(unit));
      return;
    }
    for (const uint32_t child : node.children) collect(child, left);
  }

  struct Beginning {
    bool isNullable = false;
    UnitSet first;
  };

  Beginning beginningOf(uint32_t index) const {
    const Node& node = grammar.nodes[index];
    Beginning all = {node.kind != NodeKind::kChoice, UnitSet(units.size())};
    if (unitOfNode[index] != kNone) {
      all.first.add(unitOfNode[index]);
      all.isNullable = node.kind != NodeKind::kToken && readingOf(index) == Reading::kOptionalLexeme;
      return all;
    }
    if (node.kind == NodeKind::kRule)
      return ofRule[node.rule];
    for (const uint32_t child : node.children) {
      const Beginning one = beginningOf(child);
      if (node.kind == NodeKind::kChoice) {
        all.isNullable |= one.isNullable;
        all.first.add(one.first);
      } else {
        if (all.isNullable)
          all.first.add(one.first);
        all.isNullable &= one.isNullable;
      }
    }
    if (node.kind == NodeKind::kRepeat)
      all.isNullable |= node.min == 0;
    return all;
  }

  /// Tells units and rules below a node what may come after it.
  void tell(uint32_t index, const UnitSet& next) {
    ++steps;
    const Node& node = grammar.nodes[index];
    if (unitOfNode[index] != kNone) {
      isChanged |= units[unitOfNode[index]].next.add(next);
      return;
    }
    switch (node.kind) {
    case NodeKind::kRule:
      isChanged |= afterRule[node.rule].add(next);
      return;
    case NodeKind::kRepeat: {
      UnitSet again = next;
      if (node.max > 1)
        again.add(beginningOf(node.children[0]).first);
      tell(node.children[0], again);
      return;
    }
    case NodeKind::kChoice:
      for (const uint32_t child : node.children) tell(child, next);
      return;
    default:
      break;
    }
    UnitSet after = next;
    for (std::size_t i = node.children.size(); i-- > 0;) {
      tell(node.children[i], after);
      const Beginning one = beginningOf(node.children[i]);
      steps += units.size() / 64 + 1;
      if (one.isNullable)
        after.add(one.first);
      else
        after = one.first;
    }
  }

  /// What each rule begins with, and then what may follow each unit.
  void relate() {
    ofRule.assign(grammar.rules.size(), {false, UnitSet(units.size())});
    afterRule.assign(grammar.rules.size(), UnitSet(units.size()));
    for (Unit& unit : units) unit.next = UnitSet(units.size());
    do {
      isChanged = false;
      for (const uint32_t rule : reached) {
        const Beginning body = beginningOf(grammar.rules[rule].body);
        isChanged |= ofRule[rule].first.add(body.first) || body.isNullable != ofRule[rule].isNullable;
        ofRule[rule].isNullable = body.isNullable;
        steps += units.size() + 1;
      }
    } while (isChanged && !isTooMuch());
    do {
      isChanged = false;
      for (const uint32_t rule : reached) tell(grammar.rules[rule].body, afterRule[rule]);
    } while (isChanged && !isTooMuch());
    for (Unit& unit : units) unit.next.forEach([&](uint32_t next) { unit.nextFirst |= units[next].first; });
  }

  /// Which units may stand in one place: those that may follow the same one, or two that have read the same text.
  bool findTogether() {
    together.assign(units.size(), UnitSet(units.size()));
    std::vector<std::pair<UnitSet, UnitSet>> left;
    const UnitSet start = ofRule[grammar.root].first;
    left.emplace_back(start, start);
    for (const Unit& unit : units) left.emplace_back(unit.next, unit.next);
    for (uint32_t unit = 0; unit < units.size(); ++unit) together[unit].add(unit);
    while (!left.empty() && !isTooMuch()) {
      const auto [some, others] = std::move(left.back());
      left.pop_back();
      some.forEach([&](uint32_t a) {
        others.forEach([&](uint32_t b) {
          ++steps;
          if (together[a].has(b) || isTooMuch())
            return;
          together[a].add(b);
          together[b].add(a);
          if ((units[a].first & units[b].first).any())
            left.emplace_back(units[a].next, units[b].next);
        });
      });
    }
    return !isTooMuch();
  }

  /// Whether text that is all of `a` can be gone on with in `b` by a character that may follow `a`.
  bool mayGoOn(const Unit& a, const Unit& b) {
    if ((a.first & b.first).none())
      return false;
    const std::size_t width = b.automaton.chars.size();
    std::vector<bool> isKnown(a.automaton.chars.size() * width);
    std::deque<std::pair<uint32_t, uint32_t>> left;
    const auto add = [&](const std::vector<uint32_t>& some, const std::vector<uint32_t>& others) {
      for (const uint32_t x : some)
        for (const uint32_t y : others) {
          ++steps;
          if (isKnown[x * width + y] || !a.automaton.chars[x]->intersects(*b.automaton.chars[y]))
            continue;
          isKnown[x * width + y] = true;
          left.emplace_back(x, y);
        }
    };
    add(a.automaton.first, b.automaton.first);
    for (; !left.empty() && !isTooMuch(); left.pop_front()) {
      const auto [x, y] = left.front();
      if (a.automaton.isLast[x])
        for (const uint32_t next : b.automaton.follow[y])
          if ((leadBytes(*b.automaton.chars[next]) & a.nextFirst).any())
            return true;
      add(a.automaton.follow[x], b.automaton.follow[y]);
    }
    return false;
  }

  const Grammar& grammar;
  const std::function<Reading(uint32_t)>& readingOf;
  std::vector<uint32_t> unitOfNode;
  std::vector<bool> isSeen;      // rules
  std::vector<uint32_t> reached; // rules
  std::vector<Unit> units;
  std::vector<Beginning> ofRule;
  std::vector<UnitSet> afterRule;
  std::vector<UnitSet> together;
  bool isChanged = false;
  uint64_t steps = 0;
};

} // namespace

Conflicts conflictsOf(const Grammar& grammar, const std::function<Reading(uint32_t node)>& readingOf) {
  return Finder(grammar, readingOf).find();
}

} // namespace llcuda::text::gbnf
