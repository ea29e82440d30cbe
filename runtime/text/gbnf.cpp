// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/gbnf.h"

#include "runtime/text/gbnf_grammar.h"
#include "runtime/text/gbnf_lexemes.h"

namespace llcuda::text {
namespace {

using gbnf::Node;
using gbnf::NodeKind;
using gbnf::Reading;

class Writer {
public:
  Writer(const gbnf::Grammar& grammar, const gbnf::Lexemes& lexemes) : grammar(grammar), lexemes(lexemes) {}

  std::string write() {
    out = detail::concat("start: r", grammar.root, '\n');
    for (uint32_t rule = 0; rule < grammar.rules.size(); ++rule) {
      out += detail::concat('r', rule, ": ");
      write(grammar.rules[rule].body);
      out += '\n';
    }
    return std::move(out);
  }

private:
  void write(uint32_t index) {
    const Node& node = grammar.nodes[index];
    const Reading reading = lexemes.of(index);
    if (reading != Reading::kParts) {
      const bool isOptional = reading == Reading::kOptionalLexeme;
      out += detail::concat(isOptional ? "(/" : "/", lexemes.regex(index), isOptional ? "/)?" : "/");
      return;
    }
    switch (node.kind) {
    case NodeKind::kToken:
      out += node.token;
      return;
    case NodeKind::kRule:
      out += detail::concat('r', node.rule);
      return;
    case NodeKind::kRepeat:
      writeRepeat(node);
      return;
    case NodeKind::kChoice:
      writeList(node, " | ");
      return;
    default:
      writeList(node, " ");
    }
  }

  void writeList(const Node& node, const char* between) {
    if (node.children.empty()) {
      out += "\"\"";
      return;
    }
    out += '(';
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i != 0)
        out += between;
      write(node.children[i]);
    }
    out += ')';
  }

  void writeRepeat(const Node& node) {
    if (node.max == 0) {
      out += "\"\"";
      return;
    }
    out += '(';
    write(node.children[0]);
    out += ')';
    if (node.max == Node::kNoLimit)
      out += node.min == 0 ? "*" : node.min == 1 ? "+" : detail::concat('{', node.min, ",}");
    else
      out += node.min == 0 && node.max == 1 ? "?" : detail::concat('{', node.min, ',', node.max, '}');
  }

  const gbnf::Grammar& grammar;
  const gbnf::Lexemes& lexemes;
  std::string out;
};

} // namespace

Result<std::string> larkFromGbnf(std::string_view text) {
  LLCUDA_ASSIGN_OR_RETURN(const gbnf::Grammar grammar, gbnf::parse(text));
  return Writer(grammar, gbnf::Lexemes(grammar)).write();
}

} // namespace llcuda::text
