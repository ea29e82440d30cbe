// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/gguf_config.h"

#include "compiler/models/config_reader.h"
#include "compiler/models/gguf_rope.h"
#include "compiler/models/gguf_values.h"
#include "runtime/text/utf8.h"

namespace llcuda::models {
namespace {

using ingest::GgufFile;
using ingest::GgufType;
using ingest::GgufValue;

/// The rows of the embedding, where they are to be seen: what the file says beside them may be older than they are.
Result<uint32_t> vocabularySize(const GgufFile& file, const ingest::Checkpoint& tensors, const Keys& keys) {
  const ingest::TensorInfo* embedding = tensors.find("token_embd.weight");
  if (embedding && embedding->dims.size() == 2 && embedding->dims[1] >= 1 && embedding->dims[1] <= kMaxVocabulary)
    return static_cast<uint32_t>(embedding->dims[1]);
  if (keys.has(Key::kVocabulary))
    return keys.required(Key::kVocabulary, {1, kMaxVocabulary});
  const GgufValue* tokens = file.find("tokenizer.ggml.tokens");
  if (!tokens || tokens->type() != GgufType::kArray)
    return badInput("has neither a vocab_size nor tokenizer.ggml.tokens");
  if (tokens->count() == 0 || tokens->count() > kMaxVocabulary)
    return badInput("tokenizer.ggml.tokens has ", tokens->count(), " entries, outside 1 to ", kMaxVocabulary);
  return static_cast<uint32_t>(tokens->count());
}

} // namespace

Result<ModelConfig> configFromGguf(const GgufFile& metadata, const ingest::Checkpoint& tensors) {
  const GgufValue* stated = metadata.find("general.architecture");
  if (!stated || !stated->asString() || stated->asString()->empty())
    return badInput("has no general.architecture");
  const std::string architecture(*stated->asString());
  LLCUDA_ASSIGN_OR_RETURN(const Family* const family, familyOfGguf(architecture));
  const GgufValues values(metadata, architecture);
  const Keys keys(FileKind::kGguf, values, {family->keys.begin(), family->keys.end()});
  // llama.cpp has no default for these, whatever transformers has.
  for (const Key key : {Key::kContext, Key::kHeads, Key::kNormEps})
    if (!keys.has(key))
      return badInput("has no ", keys.title(key));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t vocabulary, vocabularySize(metadata, tensors, keys));
  LLCUDA_ASSIGN_OR_RETURN(ModelConfig config, readConfig(*family, keys, vocabulary,
                                                         [&](const ModelConfig& read, uint32_t headSize, bool local) {
                                                           return readGgufRope(keys, tensors, read, headSize, local);
                                                         }));
  if (const GgufValue* title = metadata.find("general.name"); title && title->asString())
    config.name = text::repairUtf8(*title->asString());
  return config;
}

uint64_t predictingLayers(const GgufFile& metadata, const ModelConfig& config) {
  const GgufValue* architecture = metadata.find("general.architecture");
  const GgufValue* blocks = metadata.find(std::string(*architecture->asString()) + ".block_count");
  return *blocks->asUnsigned() - config.layers.size();
}

} // namespace llcuda::models
