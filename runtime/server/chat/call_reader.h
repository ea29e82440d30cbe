// SPDX-License-Identifier: Apache-2.0
// One call of an answer, as it comes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/server/chat/argument_readers.h"

namespace llcuda::server {

/// The tool of this name; null: there is none.
const ChatTool* findTool(const std::vector<ChatTool>& tools, std::string_view name);

/// What is read of a call.
struct ReadCall {
  std::string name, id;
  std::string arguments; ///< what came of them since it was taken last
  bool begun = false;    ///< the name is known and arguments have begun: it is a call
};

/// A JSON object with name and arguments among its keys, in any order.
class ObjectReader {
public:
  ObjectReader(const CallObject& keys) : keys(keys) {}
  Progress read(std::string& buffer, ReadCall& call);

private:
  enum class Place { kOpen, kKey, kColon, kValue, kNext };
  Progress step(char c, ReadCall& call);
  Progress value(char c, ReadCall& call);
  Progress valueEnded(ReadCall& call);
  Progress ended(ReadCall& call);
  bool isArguments() const { return keys.nameIsKey || key == keys.argumentsKey; }

  CallObject keys;
  Place place = Place::kOpen;
  bool first = true, bare = false, argumentsSeen = false;
  JsonScanner scanner;
  std::string key, text, held; ///< `held`: arguments that came before the name
};

/// Takes a call from the front of a buffer, part by part.
class CallReader {
public:
  /// `opening` stands in front of the call's first part. `known`: only these tools' names make it a call.
  CallReader(const FormatRecord& record, const std::vector<ChatTool>& tools, std::string_view opening, bool known);

  /// kFailed with a call that has begun: what came is the call.
  Progress read(std::string& buffer, bool last, ReadCall& call);

private:
  Progress part(std::string& buffer, bool last, ReadCall& call);
  Progress word(std::string& buffer, bool last, std::string& into, bool digits);
  Progress arguments(std::string& buffer, bool last, ReadCall& call);
  bool accepted(const ReadCall& call) const;

  const FormatRecord& record;
  const std::vector<ChatTool>& tools;
  bool known;
  std::vector<CallPart> parts;
  std::size_t at = 0;
  ObjectReader object;
  std::unique_ptr<ArgumentReader> reader;
};

} // namespace llcuda::server
