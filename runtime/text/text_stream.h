// SPDX-License-Identifier: Apache-2.0
// The text of tokens as they come: a character is held back until all of its bytes are there.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/text/tokenizer.h"

namespace llcuda::text {

/// What push() and finish() answer, joined, is the repaired UTF-8 of all pieces joined; each answer is well-formed by
/// itself. Special tokens are left out unless `showSpecial`. The tokenizer outlives the stream.
class TextStream {
public:
  explicit TextStream(const Tokenizer& tokenizer, bool showSpecial = false)
      : tokenizer(tokenizer), showSpecial(showSpecial) {}

  /// The text that token `id` completes; empty while a character is incomplete.
  std::string push(int32_t id);
  /// What was held back, as U+FFFD: no more tokens come. The stream may be used again.
  std::string finish();

private:
  const Tokenizer& tokenizer;
  bool showSpecial;
  std::string held;
};

} // namespace llcuda::text
