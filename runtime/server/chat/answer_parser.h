// SPDX-License-Identifier: Apache-2.0
// Reads an answer as it comes: content, reasoning and calls, as the deltas of a stream.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

struct Delta {
  enum class Kind {
    kContent,       ///< `text`, never empty
    kReasoning,     ///< `text`, never empty
    kCallBegin,     ///< `call`, `id`, `name`; its arguments follow
    kCallArguments, ///< `call` and in `text` the next piece; the pieces of a finished call are one JSON object
  };
  Kind kind = Kind::kContent;
  std::string text = {};
  std::size_t call = 0; ///< from 0
  std::string id = {};
  std::string name = {};
  bool operator==(const Delta&) const = default;
};

/// Any text is read: what follows a marker and is no call is content. What could begin a marker is held back until it
/// is known. Deltas do not depend on where the text is cut, but for their number.
class AnswerParser {
public:
  explicit AnswerParser(const ChatPrompt& prompt);
  AnswerParser(AnswerParser&&) noexcept;
  AnswerParser& operator=(AnswerParser&&) noexcept;
  ~AnswerParser();

  std::vector<Delta> push(std::string_view text);
  /// The answer has ended, wherever it was: what was held back. Arguments that were cut stay cut.
  std::vector<Delta> finish();

  std::size_t
  calls() const; ///< begun so far; more than 0: finish_reason is tool_calls where the answer ended by itself

private:
  struct State;
  std::unique_ptr<State> state;
};

/// An answer that is there as a whole, as an OpenAI message: role, content (null where there are only calls),
/// reasoning_content, tool_calls.
Json parsedMessage(const ChatPrompt& prompt, std::string_view answer);

} // namespace llcuda::server
