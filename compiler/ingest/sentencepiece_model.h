// SPDX-License-Identifier: Apache-2.0
// A tokenizer.model: the vocabulary of SentencePiece, a protocol buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compiler/ingest/token_list.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

struct SentencePieceModel {
  TokenList tokens; ///< no merges and no `ids` yet
  int32_t unknown = 0, bos = 1, eos = 2, padding = -1;
  bool addSpacePrefix = true;
};

/// Reads a model of kind BPE. Another kind, a normalisation table and the removal of spaces are unsupported by name;
/// bytes that are no such message are bad input. Messages lack the file's name.
Result<SentencePieceModel> readSentencePieceModel(std::span<const std::byte> bytes);

} // namespace llcuda::ingest
