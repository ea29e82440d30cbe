// SPDX-License-Identifier: Apache-2.0
// Everything an engine's metadata claims is checked here and in the verify_*.cpp beside this file, when it is opened.
// Later code indexes without checking, so a new field in engine.fbs comes with its check, in the same commit.
#include "runtime/engine/verify.h"

#include <bit>
#include <cmath>

#include <flatbuffers/flatbuffers.h>

#include "runtime/engine/verify_parts.h"

namespace llcuda {
namespace verify {
namespace {

struct Number {
  const char* name;
  uint64_t value;
  uint64_t low;
  uint64_t high;
};

Result<void> inRange(const Number& number) {
  if (number.value < number.low || number.value > number.high)
    return corrupt(number.name, " is ", number.value, ", allowed are ", number.low, " to ", number.high);
  return {};
}

} // namespace

Result<void> verifyModel(const fb::Engine& engine) {
  const fb::Model& model = *engine.model();
  const Number numbers[] = {
      {"max_context", engine.max_context(), 1, kMaxContext},
      {"max_batch", engine.max_batch(), 1, kMaxBatch},
      {"page_tokens", engine.page_tokens(), 1, kMaxPageTokens},
      {"arena_bytes", engine.arena_bytes(), 0, kMaxBufferBytes},
      {"model.layers", model.layers(), 1, kMaxLayers},
      {"model.embedding", model.embedding(), 1, kMaxDimension},
      {"model.heads", model.heads(), 1, kMaxDimension},
      {"model.kv_heads", model.kv_heads(), 1, kMaxDimension},
      {"model.head_size", model.head_size(), 1, kMaxDimension},
      {"model.feed_forward", model.feed_forward(), 1, kMaxDimension},
      {"model.vocabulary", model.vocabulary(), 1, kMaxVocabulary},
      {"model.trained_context", model.trained_context(), 1, UINT32_MAX},
  };
  for (const Number& number : numbers) LLCUDA_RETURN_IF_ERROR(inRange(number));
  if (!std::has_single_bit(engine.page_tokens()))
    return corrupt("page_tokens is ", engine.page_tokens(), ", not a power of two");
  if (model.heads() % model.kv_heads() != 0)
    return corrupt("model.heads is ", model.heads(), ", not a multiple of the ", model.kv_heads(), " kv_heads");
  if (model.pooling() > fb::Pooling::MAX)
    return corrupt("model.pooling is ", static_cast<int>(model.pooling()));
  return {};
}

Result<void> verifyText(const fb::Engine& engine, const EngineSegments& segments) {
  const uint64_t size = segments[static_cast<std::size_t>(schema::SegmentKind::kText)].size();
  if (!engine.text())
    return {};
  const fb::Span* tokenizer = engine.text()->tokenizer();
  const fb::Span* config = engine.text()->config();
  if (!config || config->bytes() == 0)
    return corrupt("text.config is empty");
  if (!spanFits(config->offset(), config->bytes(), size))
    return corrupt("text.config ends past the text segment");
  if (tokenizer && !spanFits(tokenizer->offset(), tokenizer->bytes(), size))
    return corrupt("text.tokenizer ends past the text segment");
  return {};
}

namespace {

Result<void> verifyGoldenRecord(const fb::Engine& engine, const fb::Golden& golden, const std::string& name) {
  const auto& tokens = *golden.tokens();
  const auto& top = *golden.top();
  const auto vocabulary = static_cast<int32_t>(engine.model()->vocabulary());
  if (tokens.size() == 0 || tokens.size() > kMaxGoldenTokens || tokens.size() > engine.max_context())
    return corrupt(name, ".tokens has ", tokens.size(), " entries");
  if (top.size() != uint64_t{kGoldenTop} * tokens.size())
    return corrupt(name, ".top has ", top.size(), " entries, not ", kGoldenTop, " for each of ", tokens.size(),
                   " tokens");
  for (uint32_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] < 0 || tokens[i] >= vocabulary)
      return corrupt(name, ".tokens[", i, "] is ", tokens[i], " of ", vocabulary);
  static_assert(alignof(fb::TokenProbability) == 4); // as FlatBuffers aligns every vector
  for (uint32_t i = 0; i < top.size(); ++i) {
    if (top[i]->token() < 0 || top[i]->token() >= vocabulary)
      return corrupt(name, ".top[", i, "].token is ", top[i]->token(), " of ", vocabulary);
    if (!std::isfinite(top[i]->log_probability()))
      return corrupt(name, ".top[", i, "].log_probability is not a number");
  }
  return {};
}

} // namespace

Result<void> verifyGolden(const fb::Engine& engine) {
  if (engine.golden())
    LLCUDA_RETURN_IF_ERROR(verifyGoldenRecord(engine, *engine.golden(), "golden"));
  if (!engine.golden_prompts())
    return {};
  if (engine.golden_prompts()->size() > kMaxGoldenPrompts)
    return corrupt("golden_prompts has ", engine.golden_prompts()->size(), " entries, allowed are ", kMaxGoldenPrompts);
  for (uint32_t i = 0; i < engine.golden_prompts()->size(); ++i)
    LLCUDA_RETURN_IF_ERROR(
        verifyGoldenRecord(engine, *engine.golden_prompts()->Get(i), detail::concat("golden_prompts[", i, "]")));
  return {};
}

Result<void> verifyVectors(const fb::Engine& engine) {
  if (!engine.tokenizer_vectors())
    return {};
  const fb::TokenizerVectors& vectors = *engine.tokenizer_vectors();
  const auto vocabulary = static_cast<int32_t>(engine.model()->vocabulary());
  if (vectors.texts()->size() > kMaxTexts || vectors.ends()->size() != vectors.texts()->size())
    return corrupt("tokenizer_vectors has ", vectors.texts()->size(), " texts and ", vectors.ends()->size(), " ends");
  uint32_t end = 0;
  for (uint32_t i = 0; i < vectors.ends()->size(); ++i) {
    if (vectors.ends()->Get(i) < end || vectors.ends()->Get(i) > vectors.ids()->size())
      return corrupt("tokenizer_vectors.ends[", i, "] is ", vectors.ends()->Get(i), " of ", vectors.ids()->size());
    end = vectors.ends()->Get(i);
  }
  for (uint32_t i = 0; i < vectors.ids()->size(); ++i)
    if (vectors.ids()->Get(i) < 0 || vectors.ids()->Get(i) >= vocabulary)
      return corrupt("tokenizer_vectors.ids[", i, "] is ", vectors.ids()->Get(i), " of ", vocabulary);
  return {};
}

Result<void> verifyPieces(const fb::Engine& engine, const EngineSegments& segments) {
  const uint64_t size = segments[static_cast<std::size_t>(schema::SegmentKind::kWeights)].size();
  const uint64_t count = engine.weight_pieces() ? engine.weight_pieces()->size() : 0;
  if (count == 0)
    return {}; // the segment's own hash is what there is
  const uint32_t bytes = engine.weight_piece_bytes();
  LLCUDA_RETURN_IF_ERROR(inRange({"weight_piece_bytes", bytes, kMinPieceBytes, kMaxPieceBytes}));
  if (bytes % schema::kSegmentAlignment != 0)
    return corrupt("weight_piece_bytes is ", bytes, ", not a multiple of ", schema::kSegmentAlignment);
  if (count != size / bytes + (size % bytes != 0))
    return corrupt("weight_pieces has ", count, " entries, the weights have ", size, " bytes in pieces of ", bytes);
  return {};
}

namespace {

Result<void> verifyParts(const fb::Engine& engine, const EngineSegments& segments) {
  LLCUDA_RETURN_IF_ERROR(verifyModel(engine));
  LLCUDA_RETURN_IF_ERROR(verifyText(engine, segments));
  LLCUDA_RETURN_IF_ERROR(verifyGolden(engine));
  LLCUDA_RETURN_IF_ERROR(verifyVectors(engine));
  LLCUDA_RETURN_IF_ERROR(verifyKernels(engine, segments));
  LLCUDA_RETURN_IF_ERROR(verifyBuffers(engine, segments));
  LLCUDA_RETURN_IF_ERROR(verifySources(engine, segments));
  LLCUDA_RETURN_IF_ERROR(verifyPieces(engine, segments));
  return verifyPhases(engine);
}

} // namespace
} // namespace verify

Result<const fb::Engine*> verifyMetadata(const EngineSegments& segments, const std::string& name) {
  const auto bytes = segments[static_cast<std::size_t>(schema::SegmentKind::kMetadata)];
  if (bytes.size() > verify::kMaxMetadataBytes)
    return badInput(name, ": metadata has ", bytes.size(), " bytes, allowed are ", verify::kMaxMetadataBytes);
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  // The library reads the identifier before it knows that there are eight bytes.
  if (bytes.size() < 8 || !fb::VerifyEngineBuffer(verifier))
    return badInput(name, ": metadata does not follow the engine schema; compile the model again with llcuda-compile");
  const fb::Engine* engine = fb::GetEngine(bytes.data());
  if (auto result = verify::verifyParts(*engine, segments); !result)
    return makeError(result.error().code, name, ": ", result.error().message);
  return engine;
}

} // namespace llcuda
