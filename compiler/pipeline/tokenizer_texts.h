// SPDX-License-Identifier: Apache-2.0
// The texts whose token ids every engine carries, so that a tokenizer that changed its mind is found.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/schema/engine_generated.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::pipeline {

inline constexpr size_t kTokenizerTexts = 200;

/// Mixed scripts, emoji, white space, numbers, code, control characters, bytes that are no UTF-8; `special` tokens
/// within text; the rest are these in pairs. The same list for the same special tokens.
std::vector<std::string> tokenizerTexts(const std::vector<std::string>& special);

/// The ids that the tokenizer gives for them, with special tokens below `rows`.
Result<fb::TokenizerVectorsT> tokenizerVectors(const text::Tokenizer& tokenizer, uint32_t rows);

} // namespace llcuda::pipeline
