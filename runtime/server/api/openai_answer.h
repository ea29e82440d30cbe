// SPDX-License-Identifier: Apache-2.0
// What the answers of OpenAI's two endpoints have in common, and /v1/completions.
#pragma once

#include "runtime/server/api/answer.h"

namespace llcuda::server {

class OpenAiAnswer : public Answer {
public:
  /// `chunkObject` and `wholeObject`: "chat.completion.chunk", "chat.completion". `promptCount`: prompts that the
  /// choices are of, each of `params.n`.
  OpenAiAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, std::string idPrefix,
               std::string_view chunkObject, std::string_view wholeObject);

protected:
  void writeProgress(Choice& choice, const Progress& progress) override;
  void writeEnd() override;
  Json whole() override;

  /// One choice of the whole answer.
  virtual Json choiceJson(const Choice& choice) = 0;
  /// A choice of a chunk that says nothing yet.
  virtual Json emptyDelta(const Choice& choice) const = 0;
  virtual std::size_t reasoningTokens() const { return 0; }

  Json chunk(Json choices) const;
  Json head(std::string_view object) const;
  static Json finishReason(const Choice& choice);
  Json verboseJson(const Choice& choice) const;

private:
  Json usage() const;
  Timings sumOfTimings() const;

  std::string_view chunkObject, wholeObject;
};

class TextAnswer final : public OpenAiAnswer {
public:
  TextAnswer(Service& service, std::shared_ptr<Reply> reply, Params params)
      : OpenAiAnswer(service, std::move(reply), std::move(params), "cmpl-", "text_completion", "text_completion") {}

protected:
  void writePiece(Choice& choice, const Piece& piece) override;
  void writeFinish(Choice& choice) override;
  Json choiceJson(const Choice& choice) override;
  Json emptyDelta(const Choice& choice) const override;
  void adjust(api::Request& request) const override;

private:
  std::vector<ReportedToken> withFirst(const Choice& choice) const;
  Json logprobsJson(const std::vector<ReportedToken>& tokens, bool withPrompt, std::size_t offset) const;
};

} // namespace llcuda::server
