// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/tokenizer.h"

#include "runtime/text/abi_result.h"
#include "runtime/text/utf8.h"

namespace llcuda::text {

void Tokenizer::Close::operator()(llcuda_text_tokenizer* handle) const {
  llcuda_text_tokenizer_close(handle);
}

Result<Tokenizer> Tokenizer::open(std::string_view json, TextConfig config) {
  if (config.kind == VocabularyKind::kNone)
    return Tokenizer(Handle(), std::move(config));
  llcuda_text_tokenizer* raw = nullptr;
  llcuda_text_bytes message{};
  if (const int32_t status = llcuda_text_tokenizer_open(bytesOf(json), json.size(), &raw, &message))
    return takeError(status, message);
  Handle handle(raw);
  const size_t size = llcuda_text_tokenizer_size(raw);
  LLCUDA_RETURN_IF_ERROR(checkTextConfig(config, static_cast<uint32_t>(size)));
  return Tokenizer(std::move(handle), std::move(config));
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  if (!handle)
    return unsupported("this model has no vocabulary: give token ids instead of text");
  llcuda_text_ids ids{};
  llcuda_text_bytes message{};
  if (const int32_t status =
          llcuda_text_tokenizer_encode(handle.get(), bytesOf(text), text.size(), options.parseSpecial, &ids, &message))
    return takeError(status, message);
  std::vector<int32_t> tokens;
  tokens.reserve(ids.size + 2);
  if (options.addSpecial && textConfig.addBos)
    tokens.push_back(textConfig.bos);
  tokens.insert(tokens.end(), ids.data, ids.data + ids.size);
  if (options.addSpecial && textConfig.addEos)
    tokens.push_back(textConfig.eos);
  llcuda_text_ids_free(ids);
  return tokens;
}

Result<std::vector<int32_t>> Tokenizer::encodeChat(std::string_view rendered) const {
  LLCUDA_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, encode(rendered, {.addSpecial = false, .parseSpecial = true}));
  if (textConfig.addBos && (tokens.empty() || tokens.front() != textConfig.bos))
    tokens.insert(tokens.begin(), textConfig.bos);
  return tokens;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool showSpecial) const {
  if (textConfig.addBos && !showSpecial && !ids.empty() && ids.front() == textConfig.bos)
    ids = ids.subspan(1);
  std::string bytes;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (isSpecial(ids[i]) && !showSpecial)
      continue;
    std::string_view next = piece(ids[i]);
    if (i == 0 && textConfig.addSpacePrefix && next.starts_with(' '))
      next.remove_prefix(1);
    bytes += next;
  }
  return repairUtf8(bytes);
}

std::string_view Tokenizer::piece(int32_t id) const {
  const uint8_t* data = nullptr;
  size_t size = 0;
  if (!handle || id < 0 || !llcuda_text_tokenizer_piece(handle.get(), static_cast<uint32_t>(id), &data, &size))
    return {};
  return {reinterpret_cast<const char*>(data), size};
}

int32_t Tokenizer::flags(int32_t id) const {
  const uint8_t* data = nullptr;
  size_t size = 0;
  return handle && id >= 0 ? llcuda_text_tokenizer_piece(handle.get(), static_cast<uint32_t>(id), &data, &size) : 0;
}

bool Tokenizer::isSpecial(int32_t id) const {
  return flags(id) & LLCUDA_TEXT_PIECE_SPECIAL;
}

bool Tokenizer::isPresent(int32_t id) const {
  return flags(id) & LLCUDA_TEXT_PIECE_PRESENT;
}

std::optional<int32_t> Tokenizer::find(std::string_view text) const {
  const int64_t id = handle ? llcuda_text_tokenizer_find(handle.get(), bytesOf(text), text.size()) : -1;
  return id < 0 ? std::nullopt : std::optional(static_cast<int32_t>(id));
}

uint32_t Tokenizer::vocabularySize() const {
  return handle ? static_cast<uint32_t>(llcuda_text_tokenizer_size(handle.get())) : 0;
}

} // namespace llcuda::text
