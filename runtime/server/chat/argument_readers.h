// SPDX-License-Identifier: Apache-2.0
// Arguments of a call as they come, to the pieces of one JSON object.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/server/chat/chat_format.h"
#include "runtime/server/chat/json_scanner.h"

namespace llcuda::server {

enum class Progress {
  kMore,   ///< what is there does not decide
  kDone,   ///< read; the buffer begins behind it
  kFailed, ///< the buffer begins with what does not belong there
};

enum class Match { kNo, kPartial, kYes };

/// Whether `text` begins with the marker. White space in front of the marker and inside of it is optional in the text,
/// and may be more; of that behind it at most what the marker has is taken. `last`: no more text comes. `used`: bytes
/// of the text, for kYes.
Match matchMarker(std::string_view text, std::string_view marker, bool last, std::size_t& used);

/// One past the last byte of `text` that cannot be the begin of `word`.
std::size_t safeLength(std::string_view text, std::string_view word);

/// One object of arguments. Takes what it reads from the front of `buffer` and adds JSON text to `out`.
class ArgumentReader {
public:
  virtual ~ArgumentReader() = default;
  /// Whether arguments begin here, as far as the buffer tells; nothing is taken.
  virtual Match begins(std::string_view buffer, bool last) const = 0;
  virtual Progress read(std::string& buffer, bool last, std::string& out) = 0;
};

/// A reader in the record's style. `end` is the text of the call behind the arguments, "" where they end by
/// themselves; `parameters` the schema of the function.
std::unique_ptr<ArgumentReader> makeArgumentReader(const FormatRecord& record, std::string_view end,
                                                   const Json& parameters);

} // namespace llcuda::server
