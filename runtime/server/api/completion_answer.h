// SPDX-License-Identifier: Apache-2.0
// /completion: llama-server's own form of an answer.
#pragma once

#include "runtime/server/api/answer.h"

namespace llcuda::server {

/// The final object of one choice. A stream has sent text and tokens already: they are empty then.
Json completionJson(const Service& service, const Params& params, const Choice& choice, bool isStreamed);

class CompletionAnswer final : public Answer {
public:
  /// `isList`: the body is a list, one object for each prompt.
  CompletionAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, bool isList)
      : Answer(service, std::move(reply), std::move(params), ""), isList(isList) {}

protected:
  void writeProgress(Choice& choice, const Progress& progress) override;
  void writePiece(Choice& choice, const Piece& piece) override;
  void writeFinish(Choice& choice) override;
  Json whole() override;
  void adjust(api::Request& request) const override;

private:
  Json part(const Choice& choice) const;

  bool isList;
};

} // namespace llcuda::server
