// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/schema/engine_generated.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::capi {

struct TokenizerCheck {
  uint32_t texts = 0;
  uint32_t different = 0;
};

/// Tokenizes the texts again. kSelfCheckFailed names the first one whose ids are not the recorded ones.
Result<void> checkTokenizer(const fb::TokenizerVectors& vectors, const text::Tokenizer& tokenizer,
                            TokenizerCheck& report);

} // namespace llcuda::capi
