// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/serving/stop_matcher.h"
#include "runtime/text/text_stream.h"

namespace llcuda::serving {

/// The text of a request as its tokens come, up to a stop string.
class Answer {
public:
  /// `tokenizer` may be null: then there is no text.
  Answer(const text::Tokenizer* tokenizer, bool specialText, std::vector<std::string> stops)
      : matcher(std::move(stops)) {
    if (tokenizer)
      stream.emplace(*tokenizer, specialText);
  }

  /// The text that a token makes certain.
  std::string push(int32_t token) { return stream ? matcher.push(stream->push(token)) : std::string(); }
  /// What was held back: no more tokens come. A stop string may be found yet.
  std::string finish() {
    if (!stream || matcher.found())
      return {};
    std::string text = matcher.push(stream->finish());
    return matcher.found() ? text : text + matcher.finish();
  }
  /// Index of the stop string that ended it.
  std::optional<uint32_t> found() const { return matcher.found(); }

private:
  std::optional<text::TextStream> stream;
  StopMatcher matcher;
};

} // namespace llcuda::serving
