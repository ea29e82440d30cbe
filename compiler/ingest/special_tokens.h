// SPDX-License-Identifier: Apache-2.0
// Which tokens mean something: begin a text, end an answer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/ingest/token_list.h"
#include "runtime/text/text_config.h"

namespace llcuda::ingest {

/// What a vocabulary's files say about its tokens. Ids that no token has count as none.
struct SpecialTokenFacts {
  /// The id of a role: bos, eos, unknown, padding, eot, eom, fim_pre and the like; nothing where the files do not say.
  std::function<std::optional<int64_t>(std::string_view role)> id;
  int32_t bos = text::kNoToken, eos = text::kNoToken, unknown = text::kNoToken; ///< where they do not
  std::vector<int64_t> ends;                                                    ///< further tokens that end an answer
};

/// Fills in the ids of `config` and its `endOfGeneration`: from the facts, and from how the tokens are written, for
/// many files name only BOS and EOS. Tokens that turn out to be control tokens become so in `tokens.kinds`, whatever
/// the file said.
void findSpecialTokens(const SpecialTokenFacts& facts, TokenList& tokens, text::TextConfig& config);

} // namespace llcuda::ingest
