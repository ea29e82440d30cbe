// SPDX-License-Identifier: Apache-2.0
// What is known of a model's chat format: markers and where the parts of a call stand. One record gives the parser of
// answers, the grammar of forced calls and the table of docs/chat.md.
//
//   answer  = [reasoning] [content] [section call {separator call} sectionEnd]
//   call    = parts in order, such as `<tool_call>\n`, object, `\n</tool_call>`
//
// White space at the outer ends of a marker is how the template writes it; a reader does without.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llcuda::server {

enum class CallStyle {
  kNone,     ///< nothing of this kind was found
  kJson,     ///< arguments are a JSON object
  kTagged,   ///< each argument stands between tags, strings as they are, other values as JSON
  kPythonic, ///< f(key='value', n=1)
};
std::string_view callStyleName(CallStyle style);

/// A piece of a call.
struct CallPart {
  enum class Kind {
    kText,      ///< `text`, as it is
    kName,      ///< the function's name
    kId,        ///< the call's id
    kIndex,     ///< the call's number in the answer, from `firstIndex`
    kArguments, ///< the arguments, in the record's style
    kObject,    ///< a JSON object that holds name and arguments
  };
  Kind kind = Kind::kText;
  std::string text = {};
  bool operator==(const CallPart&) const = default;
};

/// kObject: the keys of the object. `nameIsKey`: it is {"NAME": {arguments}}.
struct CallObject {
  std::string nameKey, argumentsKey;
  std::string idKey; ///< empty: there is none
  bool idFirst = false;
  bool idIsIndex = false; ///< the template writes the call's number instead of its id
  bool nameIsKey = false;
  bool operator==(const CallObject&) const = default;
};

/// kTagged: begin KEY middle VALUE end, joined by separator.
struct TaggedArgument {
  std::string begin;
  std::string middle;      ///< after the key of a string
  std::string otherMiddle; ///< after the key of any other value; the same where the tags do not say the type
  std::string end;
  bool endHasKey = false; ///< the key stands again between `end` and `endTail`, as in </key>
  std::string endTail;
  std::string separator;
  bool cdata = false; ///< a string that would be markup stands in <![CDATA[ and ]]>
  bool operator==(const TaggedArgument&) const = default;
};

struct FormatRecord {
  // Calls.
  CallStyle style = CallStyle::kNone;
  bool generic = false; ///< the template has no calls: tools go into the system message, the answer is one JSON object
  std::string section, sectionEnd, separator;
  std::vector<CallPart> call;
  CallObject object;
  TaggedArgument argument;
  std::string callPrefix;  ///< may stand in front of the calls
  std::string quote;       ///< kJson with bare keys: what stands around strings; empty: JSON as it is
  bool parallel = false;   ///< the template writes several calls of one message
  int firstIndex = 0;      ///< kIndex, idIsIndex: the number of the first call
  bool callsFirst = false; ///< it writes calls in front of the content

  // Reasoning and content.
  std::string reasoning, reasoningEnd; ///< empty: none
  std::string
      reasoningField; ///< of a message, where the template reads it; "content": between markers in the content; empty:
                      ///< nowhere
  std::string contentBegin, contentEnd;
  std::string thinkingVariable; ///< switches thinking; empty: none does
  std::string generationPrompt; ///< what opens an answer, with thinking on where it can be switched

  // What the template asks of a request.
  bool contentParts = false;    ///< content is a list of parts, a string is not written
  bool objectArguments = false; ///< arguments have to be an object; a string is refused or written as a string
  bool stringArguments = false; ///< arguments have to be JSON text
  bool systemRole = true, developerRole = false, tools = false, toolRole = true;
  bool nullContent = false;       ///< a message of calls has to have a content of null, else it is ""
  bool functionsVariable = false; ///< the template wants `functions` and `datetime`
  int idLength = 0;               ///< ids of another length are refused; 0: any
  bool operator==(const FormatRecord&) const = default;
};

/// The record as JSON text of one line; what has its default value is left out.
std::string describe(const FormatRecord& record);

} // namespace llcuda::server
