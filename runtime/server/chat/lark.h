// SPDX-License-Identifier: Apache-2.0
// Writes Lark as llguidance reads it.
#pragma once

#include <string>
#include <string_view>

#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

class Lark {
public:
  explicit Lark(const TemplateAccess& access) : access(access) {}

  /// A rule `name: body` of a fresh name that begins with `hint`; the name.
  std::string rule(std::string_view hint, std::string_view body);
  /// As above, with an attribute: name[attribute]: body.
  std::string rule(std::string_view hint, std::string_view attribute, std::string_view body);

  /// A name for a rule that refers to itself, and its body.
  std::string reserve(std::string_view hint) { return std::string(hint) + "_" + std::to_string(count++); }
  void define(const std::string& name, std::string_view body) { rules += name + ": " + std::string(body) + "\n"; }

  /// The text as a sequence of literals and special tokens; "" is `""`.
  std::string literal(std::string_view text) const;
  /// Any text that ends with `end`, which is read too.
  std::string textThrough(std::string_view end);
  std::string json(Json schema) const;

  /// All rules, with `start` for the body of the first.
  std::string text(std::string_view start) const;

private:
  bool hasSpecialToken(std::string_view text) const;
  /// Bytes of the special token that begins `text`, and its id.
  std::size_t specialToken(std::string_view text, int32_t& id) const;

  const TemplateAccess& access;
  std::string rules;
  int count = 0;
};

} // namespace llcuda::server
