// SPDX-License-Identifier: Apache-2.0
// GBNF, the grammars of llama.cpp, rewritten as Lark.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace llcuda::text {

/// The same language in Lark, whose rule `start` is GBNF's `root`. All of GBNF: rules, literals, classes, `.`, groups,
/// `* + ? {m} {m,} {m,n}`, escapes, comments, and `<token>` and `<[id]>` for special tokens. Left recursion is no
/// error. GBNF is read character by character; what Lark's lexer can cut into longer pieces without changing the
/// language is put together (gbnf_lexemes.h). kUsage: with line and column, and what was expected there.
Result<std::string> larkFromGbnf(std::string_view text);

} // namespace llcuda::text
