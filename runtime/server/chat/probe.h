// SPDX-License-Identifier: Apache-2.0
// Conversations that show a template's format, made of words that no template has.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

namespace probe {
inline constexpr std::string_view kUser = "zqUserzq", kSystem = "zqSystemzq", kContent = "zqContentzq",
                                  kThought = "zqThoughtzq", kResult = "zqResultzq";
inline constexpr std::string_view kNames[] = {"zqfnonezq", "zqfntwozq"};
inline constexpr std::string_view kIds[] = {"zqid0001z", "zqid0002z"};
inline constexpr std::string_view kKeys[] = {"zqkeyonezq", "zqkeytwozq"};
inline constexpr std::string_view kStrings[] = {"zqvalonezq", "zqvaltwozq"};
inline constexpr std::string_view kNumbers[] = {"41700", "41800"};
inline constexpr std::string_view kEos = "<zqEoszq>"; ///< given as the model's: no marker holds it

Json user();
Json tools();
/// Call `index`: of its name, id and arguments {kKeys[0]: its string, kKeys[1]: its number}.
Json call(int index, bool argumentsAsText);
} // namespace probe

/// Renders probes. What an answer could be is what stands behind the user's words.
class Probe {
public:
  Probe(const TemplateAccess& access, const FormatRecord& record) : access(access), record(record) {}

  /// All of the text; none where the template refuses. `variables` go over the usual ones: the probes' tools, no
  /// generation prompt, thinking on where it can be switched.
  std::optional<std::string> all(const Json& messages, const Json& variables = Json::object()) const;
  /// What stands behind the user's words.
  std::optional<std::string> answer(const Json& message, const Json& variables = Json::object()) const;
  /// What opens an answer.
  std::optional<std::string> opening(const Json& variables = Json::object()) const;

private:
  const TemplateAccess& access;
  const FormatRecord& record;
};

/// The text up to where the model's end of text stands in it.
std::string_view beforeEos(std::string_view text);

/// Variables that every rendering gets, for templates that ask for them: `functions`, `datetime`.
void addPlainVariables(Json& variables, const FormatRecord& record);

/// Each fills its part of the record, in this order.
void findSwitches(const TemplateAccess& access, FormatRecord& record);
void findReasoning(const TemplateAccess& access, FormatRecord& record);
void findCalls(const TemplateAccess& access, FormatRecord& record);
void findReasoningOfCalls(const TemplateAccess& access, FormatRecord& record);
void findContentMarkers(const TemplateAccess& access, FormatRecord& record);
void findRequirements(const TemplateAccess& access, FormatRecord& record);

} // namespace llcuda::server
