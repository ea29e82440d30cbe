// SPDX-License-Identifier: Apache-2.0
// Which tokens mean something. Many files name only BOS and EOS; the rest is known by how the tokens are written, and
// without it a chat would never stop.
#include <initializer_list>
#include <set>
#include <span>

#include "compiler/ingest/gguf_tokens.h"

namespace llcuda::ingest {
namespace {

using Texts = std::span<const std::string_view>;

constexpr std::string_view kEndOfTurn[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>",         "<|endoftext|>",     "<|end_of_text|>",
    "<EOT>",      "_<EOT>",     "[EOT]",   "<｜end▁of▁sentence｜>", "<end_of_utterance>"};
constexpr std::string_view kEndOfMessage[] = {"<|eom_id|>"};
// Tokens for filling in a gap. Three of the six end an answer too.
constexpr std::string_view kGapPrefix[] = {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>",    "<｜fim▁begin｜>",
                                           "<PRE>",          "▁<PRE>",       "<|code_prefix|>", "<|prefix|>"};
constexpr std::string_view kGapSuffix[] = {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>",    "<｜fim▁hole｜>",
                                           "<SUF>",          "▁<SUF>",       "<|code_suffix|>", "<|suffix|>"};
constexpr std::string_view kGapMiddle[] = {"<|fim_middle|>", "<fim-middle>", "<fim_middle>",    "<｜fim▁end｜>",
                                           "<MID>",          "▁<MID>",       "<|code_middle|>", "<|middle|>"};
constexpr std::string_view kGapPadding[] = {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"};
constexpr std::string_view kRepository[] = {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"};
constexpr std::string_view kFileSeparator[] = {"<|file_sep|>"};
constexpr std::string_view kEndOfGeneration[] = {"<|eot_id|>",
                                                 "<|im_end|>",
                                                 "<|end|>",
                                                 "<|return|>",
                                                 "<|call|>",
                                                 "<|flush|>",
                                                 "<|calls|>",
                                                 "<end_of_turn>",
                                                 "<|endoftext|>",
                                                 "</s>",
                                                 "<|eom_id|>",
                                                 "<EOT>",
                                                 "_<EOT>",
                                                 "[EOT]",
                                                 "[EOS]",
                                                 "<|end_of_text|>",
                                                 "<end_of_utterance>",
                                                 "<eos>",
                                                 "<turn|>",
                                                 "<|tool_response>",
                                                 "<｜end▁of▁sentence｜>",
                                                 "[e~["};
// Parts of the harmony format that a reader of the answer must see.
constexpr std::string_view kShown[] = {"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"};

class SpecialTokens {
public:
  SpecialTokens(const GgufFile& file, TokenList& tokens) : file(file), tokens(tokens) {}

  /// The id that a key of the file names, else `otherwise`; ids that no token has count as none.
  int32_t byKey(const std::string& key, int32_t otherwise) const {
    const auto known = [&](int64_t id) { return id >= 0 && static_cast<uint64_t>(id) < tokens.texts.size(); };
    const int32_t fallback = known(otherwise) ? otherwise : text::kNoToken;
    const GgufValue* value = file.find("tokenizer.ggml." + key + "_token_id");
    const auto id = value ? value->asSigned() : std::nullopt;
    return id && known(*id) ? static_cast<int32_t>(*id) : fallback;
  }

  /// As byKey(), else the token of the first of `texts` that the vocabulary has; it is made control.
  int32_t byKeyOrText(std::initializer_list<std::string_view> keys, Texts texts) {
    int32_t id = text::kNoToken;
    for (const std::string_view key : keys) id = byKey(std::string(key), id);
    if (id != text::kNoToken)
      return id;
    for (const std::string_view text : texts)
      if (id == text::kNoToken)
        id = tokens.find(text);
    if (id != text::kNoToken)
      tokens.kinds[id] = TokenKind::kControl;
    return id;
  }

  void end(int32_t id) {
    if (id != text::kNoToken)
      ends.insert(id);
  }

  void endByText() {
    for (const std::string_view text : kEndOfGeneration)
      if (const int32_t id = tokens.find(text); id != text::kNoToken) {
        ends.insert(id);
        tokens.kinds[id] = TokenKind::kControl;
      }
    for (const std::string_view text : kShown)
      if (const int32_t id = tokens.find(text); id != text::kNoToken)
        tokens.kinds[id] = TokenKind::kUserDefined;
  }

  /// Takes out tokens that end an answer in other models but are ordinary in this one.
  void dropFalseEnds() {
    const bool call = isEnd("<|call|>") || isEnd("<|calls|>");
    if (call && (isEnd("<|return|>") || isEnd("<|flush|>")))
      drop("<|end|>", TokenKind::kUserDefined);
    if (isEnd("<|tool_response>") || isEnd("<|plamo:eos|>"))
      drop("</s>", TokenKind::kNormal);
  }

  std::vector<int32_t> endOfGeneration() const { return {ends.begin(), ends.end()}; }

private:
  bool isEnd(std::string_view text) const { return ends.contains(tokens.find(text)); }
  void drop(std::string_view text, TokenKind kind) {
    if (ends.erase(tokens.find(text)))
      tokens.kinds[tokens.find(text)] = kind;
  }

  const GgufFile& file;
  TokenList& tokens;
  std::set<int32_t> ends;
};

Result<bool> readRule(const GgufFile& file, std::string_view key, bool otherwise) {
  const GgufValue* value = file.find(key);
  if (!value)
    return otherwise;
  const auto rule = value->asBool();
  if (!rule)
    return badInput(key, " is not true or false");
  return *rule;
}

} // namespace

Result<void> findSpecialTokens(const GgufFile& file, const PreTokenizer* preTokenizer, TokenList& tokens,
                               text::TextConfig& config) {
  const bool spm = config.kind == text::VocabularyKind::kSpm;
  // What a byte-level vocabulary without keys has always meant: token 11, the end of text of the first such files.
  constexpr int32_t kOldEnd = 11;
  const bool raw = preTokenizer && !preTokenizer->byteLevel;
  const int32_t oldEnd = raw ? text::kNoToken : kOldEnd;
  const bool hasBos = !preTokenizer || preTokenizer->hasBos;

  SpecialTokens special(file, tokens);
  config.bos = special.byKey("bos", spm ? 1 : hasBos ? oldEnd : text::kNoToken);
  config.eos = special.byKey("eos", spm ? 2 : oldEnd);
  config.unknown = special.byKey("unknown", spm ? 0 : text::kNoToken);
  config.padding = special.byKey("padding", text::kNoToken);
  config.eot = special.byKeyOrText({"eot"}, kEndOfTurn);
  const int32_t eom = special.byKeyOrText({"eom"}, kEndOfMessage);
  special.byKeyOrText({"fim_pre", "prefix"}, kGapPrefix);
  special.byKeyOrText({"fim_suf", "suffix"}, kGapSuffix);
  special.byKeyOrText({"fim_mid", "middle"}, kGapMiddle);
  special.end(special.byKeyOrText({"fim_pad"}, kGapPadding));
  special.end(special.byKeyOrText({"fim_rep"}, kRepository));
  special.end(special.byKeyOrText({"fim_sep"}, kFileSeparator));
  special.endByText();
  for (const int32_t id : {config.eos, config.eot, eom}) special.end(id);
  special.dropFalseEnds();
  config.endOfGeneration = special.endOfGeneration();

  const bool addBos = spm || (preTokenizer && preTokenizer->addBos);
  LLCUDA_ASSIGN_OR_RETURN(config.addBos, readRule(file, "tokenizer.ggml.add_bos_token", addBos));
  LLCUDA_ASSIGN_OR_RETURN(config.addEos, readRule(file, "tokenizer.ggml.add_eos_token", false));
  LLCUDA_ASSIGN_OR_RETURN(config.addSpacePrefix, readRule(file, "tokenizer.ggml.add_space_prefix", spm));
  if (raw)
    config.addBos = config.bos != text::kNoToken;
  return {};
}

} // namespace llcuda::ingest
