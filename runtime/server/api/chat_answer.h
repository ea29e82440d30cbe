// SPDX-License-Identifier: Apache-2.0
// /v1/chat/completions: an answer as messages, with reasoning and calls of tools apart from the content.
#pragma once

#include <deque>

#include "runtime/server/api/openai_answer.h"
#include "runtime/server/chat/answer_parser.h"

namespace llcuda::server {

class ChatAnswer final : public OpenAiAnswer {
public:
  ChatAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, ChatPrompt prompt);

protected:
  void writeProgress(Choice& choice, const Progress& progress) override;
  void writePiece(Choice& choice, const Piece& piece) override;
  void writeFinish(Choice& choice) override;
  Json choiceJson(const Choice& choice) override;
  Json emptyDelta(const Choice& choice) const override;
  void adjust(api::Request& request) const override;
  std::optional<ChatGrammar> grammar() const override { return prompt.grammar; }

private:
  struct Reading {
    AnswerParser parser;
    bool hasRole = false;
    std::vector<ReportedToken> tokens; ///< of text that the parser holds back
  };

  void writeRole(const Choice& choice);
  void writeDeltas(const Choice& choice, const std::vector<Delta>& deltas);
  Json finishReasonOf(const Choice& choice, std::size_t calls) const;

  ChatPrompt prompt;
  std::deque<Reading> readings; ///< of each choice
};

} // namespace llcuda::server
