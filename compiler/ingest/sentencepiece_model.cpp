// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/sentencepiece_model.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "compiler/ingest/byte_cursor.h"
#include "runtime/text/utf8.h"

namespace llcuda::ingest {
namespace {

constexpr size_t kMaxTokens = 1 << 22;

/// One field of a message: a number, or the bytes of a text or an inner message.
struct Field {
  uint32_t number = 0;
  uint64_t value = 0;
  std::span<const std::byte> bytes;
};

// Walks the fields of a message, each once.
class Message {
public:
  explicit Message(std::span<const std::byte> bytes) : cursor(bytes) {}

  /// False at the end, and when what follows is no field: then failed() is true.
  bool next(Field& field) {
    uint64_t tag = 0;
    if (cursor.remaining() == 0)
      return false;
    if (!varint(tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX || !payload(tag & 7, field))
      return broken = true, false;
    field.number = static_cast<uint32_t>(tag >> 3);
    return true;
  }
  bool failed() const { return broken; }

private:
  bool varint(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      uint8_t byte = 0;
      if (!cursor.read(byte))
        return false;
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128)
        return true;
    }
    return false;
  }

  bool payload(uint64_t wireType, Field& field) {
    uint64_t size = 0;
    uint32_t word = 0;
    switch (wireType) {
    case 0:
      return varint(field.value);
    case 1:
      return cursor.read(field.value);
    case 2:
      return varint(size) && cursor.take(size, field.bytes);
    case 5:
      return cursor.read(word) && (field.value = word, true);
    default:
      return false;
    }
  }

  ByteCursor cursor;
  bool broken = false;
};

Error damaged() {
  return badInput("is not a SentencePiece model; it is damaged: download it again");
}

// ModelProto.SentencePiece
Result<void> readPiece(std::span<const std::byte> bytes, TokenList& tokens) {
  std::string_view text;
  float score = 0;
  uint64_t kind = 1;
  Field field;
  Message piece(bytes);
  while (piece.next(field)) {
    if (field.number == 1)
      text = {reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size()};
    if (field.number == 2) {
      const auto bits = static_cast<uint32_t>(field.value);
      std::memcpy(&score, &bits, sizeof score);
    }
    if (field.number == 3)
      kind = field.value;
  }
  const size_t id = tokens.texts.size();
  if (piece.failed())
    return damaged();
  if (id == kMaxTokens)
    return badInput("has more than ", kMaxTokens, " pieces");
  if (text.empty() || !text::isUtf8(text))
    return badInput("piece ", id, " is not UTF-8");
  if (!std::isfinite(score) || kind < 1 || kind > 6)
    return badInput("piece ", id, " has a score or a kind that no piece has");
  tokens.texts.emplace_back(text);
  tokens.scores.push_back(score);
  tokens.kinds.push_back(static_cast<TokenKind>(kind));
  return {};
}

// TrainerSpec
Result<void> readTrainer(std::span<const std::byte> bytes, SentencePieceModel& model) {
  uint64_t kind = 1; // unigram
  Field field;
  Message spec(bytes);
  const auto id = [&] { return static_cast<int32_t>(field.value); };
  while (spec.next(field)) {
    if (field.number == 3)
      kind = field.value;
    if (field.number == 40)
      model.unknown = id();
    if (field.number == 41)
      model.bos = id();
    if (field.number == 42)
      model.eos = id();
    if (field.number == 43)
      model.padding = id();
  }
  if (spec.failed())
    return damaged();
  if (kind != 2)
    return unsupported("is a SentencePiece model of kind ", kind, "; BPE (2) is supported");
  return {};
}

// NormalizerSpec
Result<void> readNormalizer(std::span<const std::byte> bytes, SentencePieceModel& model) {
  bool removesSpaces = true, hasTable = false;
  Field field;
  Message spec(bytes);
  while (spec.next(field)) {
    if (field.number == 2)
      hasTable = !field.bytes.empty();
    if (field.number == 3)
      model.addSpacePrefix = field.value != 0;
    if (field.number == 4)
      removesSpaces = field.value != 0;
  }
  if (spec.failed())
    return damaged();
  if (hasTable || removesSpaces)
    return unsupported("normalises text", removesSpaces ? " by removing spaces" : " by a table",
                       ", which is not supported; save the tokenizer with transformers to get a tokenizer.json");
  return {};
}

} // namespace

Result<SentencePieceModel> readSentencePieceModel(std::span<const std::byte> bytes) {
  SentencePieceModel model;
  std::optional<std::span<const std::byte>> trainer, normalizer;
  Field field;
  Message file(bytes);
  while (file.next(field)) {
    if (field.number == 1)
      LLCUDA_RETURN_IF_ERROR(readPiece(field.bytes, model.tokens));
    if (field.number == 2)
      trainer = field.bytes;
    if (field.number == 3)
      normalizer = field.bytes;
  }
  if (file.failed() || model.tokens.texts.empty())
    return damaged();
  LLCUDA_RETURN_IF_ERROR(readTrainer(trainer.value_or(std::span<const std::byte>()), model));
  LLCUDA_RETURN_IF_ERROR(readNormalizer(normalizer.value_or(std::span<const std::byte>()), model));
  return model;
}

} // namespace llcuda::ingest
