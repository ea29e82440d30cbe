// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/special_tokens.h"

#include <initializer_list>
#include <set>
#include <span>

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
  SpecialTokens(const SpecialTokenFacts& facts, TokenList& tokens) : facts(facts), tokens(tokens) {}

  /// `id` if a token has it, else none.
  int32_t known(int64_t id) const {
    return id >= 0 && static_cast<uint64_t>(id) < tokens.texts.size() ? static_cast<int32_t>(id) : text::kNoToken;
  }

  /// The id that the facts give for `role`, else `otherwise`.
  int32_t byRole(std::string_view role, int32_t otherwise) const {
    const int32_t id = known(facts.id(role).value_or(text::kNoToken));
    return id != text::kNoToken ? id : known(otherwise);
  }

  /// As byRole(), else the token of the first of `texts` that the vocabulary has; it is made control.
  int32_t byRoleOrText(std::initializer_list<std::string_view> roles, Texts texts) {
    int32_t id = text::kNoToken;
    for (const std::string_view role : roles) id = byRole(role, id);
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

  const SpecialTokenFacts& facts;
  TokenList& tokens;
  std::set<int32_t> ends;
};

} // namespace

void findSpecialTokens(const SpecialTokenFacts& facts, TokenList& tokens, text::TextConfig& config) {
  SpecialTokens special(facts, tokens);
  config.bos = special.byRole("bos", facts.bos);
  config.eos = special.byRole("eos", facts.eos);
  config.unknown = special.byRole("unknown", facts.unknown);
  config.padding = special.byRole("padding", text::kNoToken);
  config.eot = special.byRoleOrText({"eot"}, kEndOfTurn);
  const int32_t eom = special.byRoleOrText({"eom"}, kEndOfMessage);
  special.byRoleOrText({"fim_pre", "prefix"}, kGapPrefix);
  special.byRoleOrText({"fim_suf", "suffix"}, kGapSuffix);
  special.byRoleOrText({"fim_mid", "middle"}, kGapMiddle);
  special.end(special.byRoleOrText({"fim_pad"}, kGapPadding));
  special.end(special.byRoleOrText({"fim_rep"}, kRepository));
  special.end(special.byRoleOrText({"fim_sep"}, kFileSeparator));
  special.endByText();
  for (const int32_t id : {config.eos, config.eot, eom}) special.end(id);
  for (const int64_t id : facts.ends) special.end(special.known(id));
  special.dropFalseEnds();
  config.endOfGeneration = special.endOfGeneration();
}

} // namespace llcuda::ingest
