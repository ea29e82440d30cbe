// SPDX-License-Identifier: Apache-2.0
// Text to token ids and back, by the tokenizer.json and the text config that an engine holds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/text/text_config.h"

struct llcuda_text_tokenizer;

namespace llcuda::text {

struct EncodeOptions {
  bool addSpecial = true;   ///< BOS and EOS by the model's rule (`addBos`, `addEos`)
  bool parseSpecial = true; ///< the text of a special token becomes that token, not plain text
};

/// May be used by several threads at once.
class Tokenizer {
public:
  /// `json` is a tokenizer.json, empty for a model of kind none.
  static Result<Tokenizer> open(std::string_view json, TextConfig config);

  /// The ids of `text`; bytes that are not UTF-8 count as U+FFFD. Of a model of kind none: unsupported.
  Result<std::vector<int32_t>> encode(std::string_view text, EncodeOptions options = {}) const;

  /// The ids of a rendered chat: special tokens count, and BOS is added only where the template did not write it.
  Result<std::vector<int32_t>> encodeChat(std::string_view rendered) const;

  /// The text of `ids`, repaired to well-formed UTF-8. Special tokens are left out unless `showSpecial`; the space that
  /// `addSpacePrefix` put before the text is taken away. Ids that the vocabulary does not have give nothing.
  std::string decode(std::span<const int32_t> ids, bool showSpecial = false) const;

  /// The bytes of one token, maybe a part of a character; they live as long as the tokenizer. Empty for an id that the
  /// vocabulary does not have.
  std::string_view piece(int32_t id) const;
  bool isSpecial(int32_t id) const;
  /// The vocabulary has the id.
  bool isPresent(int32_t id) const;
  /// The id of the token written as `text` in the vocabulary.
  std::optional<int32_t> find(std::string_view text) const;

  /// One more than the highest id; 0 for kind none. The model's head may have more rows.
  uint32_t vocabularySize() const;
  const TextConfig& config() const { return textConfig; }

private:
  friend class Grammars; // reads all pieces
  struct Close {
    void operator()(llcuda_text_tokenizer* handle) const;
  };
  using Handle = std::unique_ptr<llcuda_text_tokenizer, Close>;

  int32_t flags(int32_t id) const;
  Tokenizer(Handle handle, TextConfig config) : handle(std::move(handle)), textConfig(std::move(config)) {}

  Handle handle; ///< null for kind none
  TextConfig textConfig;
};

} // namespace llcuda::text
