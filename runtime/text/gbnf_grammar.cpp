// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/gbnf_grammar.h"

#include <algorithm>
#include <map>
#include <optional>

namespace llcuda::text::gbnf {
namespace {

constexpr uint32_t kMaxDepth = 100;
constexpr uint32_t kMaxRepeats = 2000; // llama.cpp's as well
constexpr uint32_t kMaxStacked = 8;    // `a*+?`
constexpr std::size_t kMaxRules = 5000;
constexpr std::size_t kMaxNodes = 200000;

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || isDigit(c) || c == '-' || c == '_';
}

std::optional<uint32_t> hexValue(char c) {
  if (isDigit(c))
    return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? std::optional<uint32_t>(lower - 'a' + 10) : std::nullopt;
}

class Reader {
public:
  explicit Reader(std::string_view text) : text(text) {}

  Result<Grammar> read() {
    LLCUDA_RETURN_IF_ERROR(space(true));
    while (!isAtEnd()) LLCUDA_RETURN_IF_ERROR(rule());
    for (uint32_t i = 0; i < grammar.rules.size(); ++i)
      if (!isDefined[i])
        return errorAt(firstUse[i], "rule '", grammar.rules[i].name, "' is not defined");
    const auto root = numbers.find("root");
    if (root == numbers.end())
      return usageError("GBNF: there is no rule 'root'");
    grammar.root = root->second;
    return std::move(grammar);
  }

private:
  template <typename... Parts>
  Error errorAt(std::size_t place, const Parts&... parts) const {
    const std::string_view before = text.substr(0, place);
    const std::size_t lineStart = before.rfind('\n') + 1; // npos + 1 is 0
    return usageError("GBNF: ", parts..., " (line ", 1 + std::ranges::count(before, '\n'), ", column ",
                      place - lineStart + 1, ")");
  }
  template <typename... Parts>
  Error error(const Parts&... parts) const {
    return errorAt(at, parts...);
  }

  bool isAtEnd() const { return at == text.size(); }
  char peek() const { return isAtEnd() ? '\0' : text[at]; }
  bool take(char c) {
    const bool is = !isAtEnd() && text[at] == c;
    at += is;
    return is;
  }
  std::string seen() const {
    return isAtEnd() ? "the end" : static_cast<unsigned char>(peek()) < 0x20 ? "the end of the line" : shown();
  }
  std::string shown() const {
    std::size_t bytes = 1;
    while (at + bytes < text.size() && (static_cast<unsigned char>(text[at + bytes]) & 0xc0) == 0x80) ++bytes;
    return detail::concat("'", text.substr(at, bytes), "'");
  }

  /// Blanks and comments; line ends only where a rule goes on behind them.
  Result<void> space(bool lines) {
    while (!isAtEnd()) {
      const char c = peek();
      if (c == '#')
        while (!isAtEnd() && peek() != '\n' && peek() != '\r') ++at;
      else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r')))
        ++at;
      else
        break;
    }
    return {};
  }

  Result<std::string> name() {
    const std::size_t start = at;
    while (!isAtEnd() && isWord(peek())) ++at;
    if (at == start)
      return error("expected the name of a rule, found ", seen());
    return std::string(text.substr(start, at - start));
  }

  uint32_t ruleNumber(const std::string& name, std::size_t place) {
    const auto [found, isNew] = numbers.try_emplace(name, static_cast<uint32_t>(grammar.rules.size()));
    if (isNew) {
      grammar.rules.push_back({name, 0});
      isDefined.push_back(false);
      firstUse.push_back(place);
    }
    return found->second;
  }

  Result<uint32_t> add(Node node) {
    if (grammar.nodes.size() == kMaxNodes)
      return error("the grammar has more than ", kMaxNodes, " parts");
    grammar.nodes.push_back(std::move(node));
    return static_cast<uint32_t>(grammar.nodes.size() - 1);
  }

  Result<void> rule() {
    const std::size_t place = at;
    LLCUDA_ASSIGN_OR_RETURN(const std::string named, name());
    const uint32_t number = ruleNumber(named, place);
    if (grammar.rules.size() > kMaxRules)
      return error("the grammar has more than ", kMaxRules, " rules");
    LLCUDA_RETURN_IF_ERROR(space(false));
    if (text.substr(at, 3) != "::=")
      return error("expected '::=' after '", named, "', found ", seen());
    at += 3;
    LLCUDA_RETURN_IF_ERROR(space(true));
    LLCUDA_ASSIGN_OR_RETURN(grammar.rules[number].body, choice(0));
    isDefined[number] = true;
    if (!isAtEnd() && peek() != '\n' && peek() != '\r')
      return error("expected the end of the rule, found ", seen());
    return space(true);
  }

  /// Alternatives up to a bracket, the end of a rule or of the text.
  Result<uint32_t> choice(uint32_t depth) {
    if (depth > kMaxDepth)
      return error("groups nest deeper than ", kMaxDepth);
    Node node;
    node.kind = NodeKind::kChoice;
    do {
      if (!node.children.empty())
        LLCUDA_RETURN_IF_ERROR(space(true));
      LLCUDA_ASSIGN_OR_RETURN(const uint32_t alternative, sequence(depth));
      node.children.push_back(alternative);
    } while (take('|'));
    return node.children.size() == 1 ? Result<uint32_t>(node.children[0]) : add(std::move(node));
  }

  Result<uint32_t> sequence(uint32_t depth) {
    Node node;
    for (;;) {
      const char c = peek();
      if (isAtEnd() || c == '|' || c == ')' || c == '\n' || c == '\r')
        break;
      LLCUDA_ASSIGN_OR_RETURN(uint32_t item, symbol(depth));
      LLCUDA_RETURN_IF_ERROR(space(depth != 0));
      LLCUDA_ASSIGN_OR_RETURN(item, repeated(item, depth));
      node.children.push_back(item);
    }
    return node.children.size() == 1 ? Result<uint32_t>(node.children[0]) : add(std::move(node));
  }

  Result<uint32_t> symbol(uint32_t depth) {
    switch (peek()) {
    case '"':
      return literal();
    case '[':
      return characterClass();
    case '<':
      return token();
    case '!':
      return error("'!' before a special token is not supported");
    case '.': {
      ++at;
      Node any;
      any.kind = NodeKind::kChars;
      any.chars.add(0, CharSet::kLast);
      return add(std::move(any));
    }
    case '(': {
      const std::size_t place = at++;
      LLCUDA_RETURN_IF_ERROR(space(true));
      LLCUDA_ASSIGN_OR_RETURN(const uint32_t group, choice(depth + 1));
      if (!take(')'))
        return errorAt(place, "this group is not closed");
      return group;
    }
    default:
      break;
    }
    if (!isWord(peek()))
      return error("expected a rule, a literal, a class or a group, found ", seen());
    const std::size_t place = at;
    LLCUDA_ASSIGN_OR_RETURN(const std::string named, name());
    Node node;
    node.kind = NodeKind::kRule;
    node.rule = ruleNumber(named, place);
    return add(std::move(node));
  }

  Result<uint32_t> literal() {
    const std::size_t place = at++;
    Node node;
    while (!take('"')) {
      if (isAtEnd())
        return errorAt(place, "this literal is not closed");
      LLCUDA_ASSIGN_OR_RETURN(const uint32_t point, character());
      Node one;
      one.kind = NodeKind::kChars;
      one.chars.add(point, point);
      LLCUDA_ASSIGN_OR_RETURN(const uint32_t child, add(std::move(one)));
      node.children.push_back(child);
    }
    return node.children.size() == 1 ? Result<uint32_t>(node.children[0]) : add(std::move(node));
  }

  Result<uint32_t> characterClass() {
    const std::size_t place = at++;
    const bool isNegated = take('^');
    Node node;
    node.kind = NodeKind::kChars;
    while (!take(']')) {
      if (isAtEnd())
        return errorAt(place, "this class is not closed");
      const std::size_t start = at;
      LLCUDA_ASSIGN_OR_RETURN(const uint32_t first, character());
      uint32_t last = first;
      if (peek() == '-' && at + 1 < text.size() && text[at + 1] != ']') {
        ++at;
        LLCUDA_ASSIGN_OR_RETURN(last, character());
      }
      if (last < first)
        return errorAt(start, "a range ends before it begins");
      node.chars.add(first, last);
    }
    if (isNegated)
      node.chars = node.chars.complement();
    if (node.chars.ranges().empty())
      return errorAt(place, "this class has no characters");
    return add(std::move(node));
  }

  Result<uint32_t> token() {
    const std::size_t place = at;
    const std::size_t end = text.find('>', at);
    if (end == std::string_view::npos)
      return errorAt(place, "this special token is not closed");
    Node node;
    node.kind = NodeKind::kToken;
    node.token = text.substr(at, end + 1 - at);
    const std::string_view inner = std::string_view(node.token).substr(1, node.token.size() - 2);
    if (inner.empty() || std::ranges::any_of(inner, [](char c) { return c == '<' || static_cast<uint8_t>(c) <= ' '; }))
      return errorAt(place, "a special token is written <name> or <[id]>");
    at = end + 1;
    return add(std::move(node));
  }

  /// One of a literal or a class, maybe escaped.
  Result<uint32_t> character() {
    if (!take('\\'))
      return codePoint();
    if (isAtEnd())
      return error("expected an escape, found the end");
    switch (text[at++]) {
    case 'x':
      return hex(2);
    case 'u':
      return hex(4);
    case 'U':
      return hex(8);
    case 't':
      return uint32_t{'\t'};
    case 'r':
      return uint32_t{'\r'};
    case 'n':
      return uint32_t{'\n'};
    case '\\':
    case '"':
    case '[':
    case ']':
      return static_cast<uint32_t>(text[at - 1]);
    default:
      --at;
      return error("unknown escape ", seen(), R"(, known are \n \r \t \\ \" \[ \] \x00 \u0000 \U00000000)");
    }
  }

  Result<uint32_t> hex(uint32_t digits) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < digits; ++i) {
      const std::optional<uint32_t> digit = hexValue(peek());
      if (!digit)
        return error("expected ", digits, " hexadecimal digits, found ", seen());
      value = value << 4 | *digit;
      ++at;
    }
    if (value > CharSet::kLast || (value >= 0xd800 && value < 0xe000))
      return error("the escape is no character");
    return value;
  }

  Result<uint32_t> codePoint() {
    const auto first = static_cast<uint8_t>(text[at]);
    const uint32_t bytes = first < 0x80   ? 1
                           : first < 0xc2 ? 0
                           : first < 0xe0 ? 2
                           : first < 0xf0 ? 3
                           : first < 0xf5 ? 4
                                          : 0;
    uint32_t value = bytes <= 1 ? first : first & (0x7f >> bytes);
    bool isGood = bytes != 0 && at + bytes <= text.size();
    for (uint32_t i = 1; isGood && i < bytes; ++i) {
      const auto next = static_cast<uint8_t>(text[at + i]);
      isGood = (next & 0xc0) == 0x80;
      value = value << 6 | (next & 0x3f);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!isGood || value < kLeast[bytes] || value > CharSet::kLast || (value >= 0xd800 && value < 0xe000))
      return error("a byte that is not UTF-8");
    at += bytes;
    return value;
  }

  Result<uint32_t> number() {
    if (!isDigit(peek()))
      return error("expected a number, found ", seen());
    const std::size_t place = at;
    uint32_t value = 0;
    while (isDigit(peek())) {
      value = value * 10 + static_cast<uint32_t>(text[at++] - '0');
      if (value > kMaxRepeats)
        return errorAt(place, "at most ", kMaxRepeats, " repetitions are allowed");
    }
    LLCUDA_RETURN_IF_ERROR(space(true));
    return value;
  }

  /// The item, repeated as what follows it says.
  Result<uint32_t> repeated(uint32_t item, uint32_t depth) {
    for (uint32_t stacked = 0;; ++stacked) {
      Node node;
      node.kind = NodeKind::kRepeat;
      if (stacked > kMaxStacked)
        return error("more than ", kMaxStacked, " repetitions of one item");
      if (take('*')) {
        node.min = 0, node.max = Node::kNoLimit;
      } else if (take('+')) {
        node.min = 1, node.max = Node::kNoLimit;
      } else if (take('?')) {
        node.min = 0, node.max = 1;
      } else if (peek() == '{') {
        LLCUDA_RETURN_IF_ERROR(counts(node));
      } else {
        return item;
      }
      LLCUDA_RETURN_IF_ERROR(space(depth != 0));
      node.children.push_back(item);
      LLCUDA_ASSIGN_OR_RETURN(item, add(std::move(node)));
    }
  }

  Result<void> counts(Node& node) {
    const std::size_t place = at++;
    LLCUDA_RETURN_IF_ERROR(space(true));
    LLCUDA_ASSIGN_OR_RETURN(node.min, number());
    node.max = node.min;
    if (take(',')) {
      LLCUDA_RETURN_IF_ERROR(space(true));
      node.max = Node::kNoLimit;
      if (peek() != '}') {
        LLCUDA_ASSIGN_OR_RETURN(node.max, number());
      }
    }
    if (!take('}'))
      return error("expected '}', found ", seen());
    if (node.max < node.min)
      return errorAt(place, "a repetition of at least ", node.min, " and at most ", node.max);
    return {};
  }

  std::string_view text;
  std::size_t at = 0;
  Grammar grammar;
  std::map<std::string, uint32_t> numbers;
  std::vector<bool> isDefined;
  std::vector<std::size_t> firstUse; // places in the text
};

} // namespace

void CharSet::add(uint32_t first, uint32_t last) {
  const auto begin = std::ranges::find_if(parts, [&](const auto& part) { return part.second + 1 >= first; });
  auto end = begin;
  for (; end != parts.end() && end->first <= last + 1; ++end) {
    first = std::min(first, end->first);
    last = std::max(last, end->second);
  }
  parts.insert(parts.erase(begin, end), {first, last});
}

void CharSet::add(const CharSet& other) {
  for (const auto& [first, last] : other.parts) add(first, last);
}

CharSet CharSet::complement() const {
  CharSet rest;
  uint32_t next = 0;
  for (const auto& [first, last] : parts) {
    if (first > next)
      rest.parts.emplace_back(next, first - 1);
    next = last + 1;
  }
  if (next <= kLast)
    rest.parts.emplace_back(next, kLast);
  return rest;
}

bool CharSet::intersects(const CharSet& other) const {
  for (auto a = parts.begin(), b = other.parts.begin(); a != parts.end() && b != other.parts.end();) {
    if (a->second < b->first)
      ++a;
    else if (b->second < a->first)
      ++b;
    else
      return true;
  }
  return false;
}

Result<Grammar> parse(std::string_view text) {
  return Reader(text).read();
}

} // namespace llcuda::text::gbnf
