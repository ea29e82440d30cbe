// SPDX-License-Identifier: Apache-2.0
// Where a template writes reasoning, and what stands around the content.
#include <algorithm>

#include "runtime/server/chat/marks.h"
#include "runtime/server/chat/probe.h"

namespace llcuda::server {
namespace {

using probe::kContent;
using probe::kThought;

constexpr std::string_view kParts = "content"; // as the name of a field: reasoning is a part of the content

Json messageWith(std::string_view field) {
  Json message = {{"role", "assistant"}, {"content", kContent}};
  if (field == kParts)
    message["content"] =
        Json::array({{{"type", "thinking"}, {"thinking", kThought}}, {{"type", "text"}, {"text", kContent}}});
  else
    message[std::string(field)] = kThought;
  return message;
}

/// What opens an answer, with thinking on, off and unsaid; without doubles.
struct Openings {
  std::string on, off;
  std::vector<std::string> all;
};

Openings openingsOf(const Probe& probe, const FormatRecord& record) {
  Openings result;
  result.on = probe.opening().value_or("");
  result.off = result.on;
  if (!record.thinkingVariable.empty())
    result.off = probe.opening({{record.thinkingVariable, false}}).value_or(result.on);
  for (const std::string& one : {result.on, result.off})
    if (std::find(result.all.begin(), result.all.end(), one) == result.all.end())
      result.all.push_back(one);
  return result;
}

/// `text` from `at` on, and from the tag before on where what follows is that tag's name: `<|open|>think<|sep|>`.
std::string widened(std::string_view text, std::size_t at) {
  if (at > 0 && at < text.size() && text[at - 1] == '>' && text[at] >= 'a' && text[at] <= 'z')
    at = tagBegin(text, at - 1);
  return std::string(text.substr(at));
}

bool startsWith(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}
bool endsWith(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

/// The marker that opens reasoning, from what stands in front of it in a message (`before`) and behind it (`after`).
std::string openingMarker(std::string_view before, std::string_view after, const Openings& openings) {
  bool opened = false;
  std::string_view longest;
  for (const std::string& opening : openings.all)
    if (startsWith(before, opening)) {
      const std::string_view rest = before.substr(opening.size());
      opened = opened || trimmed(rest).empty();
      if (opening.size() >= longest.size())
        longest = opening;
    }
  if (!opened && !longest.empty())
    return std::string(trimmedLeft(before.substr(longest.size())));
  if (opened) { // the generation prompt opens it, when thinking is on
    const std::size_t common = commonPrefix(before, openings.off);
    if (!trimmed(before.substr(common)).empty())
      return std::string(trimmedLeft(widened(before, common)));
    return std::string(lastTag(before));
  }
  // A prompt that says more than a message of the history.
  const std::size_t common = commonPrefix(before, openings.on);
  const std::string_view more = std::string_view(openings.on).substr(common);
  if (trimmed(before.substr(common)).empty() && !trimmed(more).empty() && !startsWith(trimmed(after), trimmed(more)))
    return std::string(more);
  return std::string(lastTag(before));
}

/// Whether the template wrote the parts' list as a value, instead of reading it.
bool isDumped(std::string_view text) {
  return text.find("'type'") != std::string_view::npos || text.find("\"type\"") != std::string_view::npos;
}

bool readMarkers(const Probe& probe, FormatRecord& record, std::string_view field) {
  const auto text = probe.answer(messageWith(field));
  const std::size_t thought = text ? text->find(kThought) : std::string::npos;
  const std::size_t content = text ? text->find(kContent) : std::string::npos;
  if (thought == std::string::npos || content == std::string::npos || content < thought || isDumped(*text))
    return false;
  const std::size_t end = thought + kThought.size();
  const Openings openings = openingsOf(probe, record);
  record.reasoningEnd = text->substr(end, content - end);
  record.reasoning = openingMarker(std::string_view(*text).substr(0, thought), record.reasoningEnd, openings);
  // What opens the content where there is no reasoning is no part of the end of reasoning.
  const std::string off = widened(openings.off, commonPrefix(openings.off, openings.on));
  if (!trimmed(off).empty() && trimmed(off).find(trimmed(record.reasoningEnd)) == std::string_view::npos &&
      endsWith(record.reasoningEnd, off) && off.size() < record.reasoningEnd.size()) {
    record.contentBegin = off;
    record.reasoningEnd.resize(record.reasoningEnd.size() - off.size());
  }
  record.reasoningField = field;
  return !trimmed(record.reasoningEnd).empty();
}

/// Templates that drop the reasoning of earlier answers, and those that open it in the generation prompt alone.
void readPrompts(const Probe& probe, FormatRecord& record) {
  const auto cut = [&](const std::string& end) {
    const auto text =
        probe.answer({{"role", "assistant"}, {"content", std::string(kThought) + end + std::string(kContent)}});
    return text && text->find(kThought) == std::string::npos && text->find(kContent) != std::string::npos;
  };
  const auto plain = probe.answer({{"role", "assistant"}, {"content", kContent}});
  const Openings openings = openingsOf(probe, record);
  const std::string_view header =
      plain ? std::string_view(*plain).substr(0, std::min(plain->find(kContent), plain->size())) : std::string_view();
  const std::string_view more = std::string_view(openings.on).substr(commonPrefix(openings.on, header));
  const std::string_view off = std::string_view(openings.off).substr(commonPrefix(openings.off, openings.on));
  for (const std::string_view text : {more, off}) {
    const std::string_view tag = trimmedLeft(throughFirstTag(text));
    const std::string end = closingTag(tag);
    const std::string_view rest = trimmed(text.substr(std::min(text.size(), text.find(tag) + tag.size())));
    if (!end.empty() && (rest.empty() || rest == end)) {
      record.reasoning = tag;
      record.reasoningEnd = end;
      return;
    }
  }
  if (cut("</think>")) {
    record.reasoning = "<think>";
    record.reasoningEnd = "</think>";
  }
}

} // namespace

void findReasoning(const TemplateAccess& access, FormatRecord& record) {
  const Probe probe(access, record);
  for (const std::string_view field :
       {std::string_view("reasoning_content"), std::string_view("reasoning"), std::string_view("thinking"), kParts}) {
    if (readMarkers(probe, record, field))
      return;
    record.reasoning = record.reasoningEnd = record.reasoningField = record.contentBegin = "";
  }
  readPrompts(probe, record);
}

void findReasoningOfCalls(const TemplateAccess& access, FormatRecord& record) {
  if ((!record.reasoning.empty() && !record.reasoningField.empty()) || record.style == CallStyle::kNone)
    return;
  const Probe probe(access, record);
  const std::string first =
      record.section + (record.call.front().kind == CallPart::Kind::kText ? record.call.front().text : "");
  for (const char* field : {"reasoning_content", "reasoning", "thinking"}) {
    const Json call = probe::call(0, record.stringArguments);
    Json message = {{"role", "assistant"}, {"content", ""}, {"tool_calls", Json::array({call})}};
    message[field] = kThought;
    const auto text = probe.answer(message);
    const std::size_t thought = text ? text->find(kThought) : std::string::npos;
    if (thought == std::string::npos)
      continue;
    const std::size_t end = thought + kThought.size();
    const std::string_view after = std::string_view(*text).substr(end);
    // What opens the calls without reasoning may begin with markers of reasoning that is empty.
    std::string_view opens = trimmed(first);
    while (!opens.empty() && after.find(opens) == std::string_view::npos)
      opens.remove_prefix(throughFirstTag(opens).size());
    if (opens.empty())
      continue;
    const Openings openings = openingsOf(probe, record);
    record.reasoningField = field;
    record.reasoningEnd = after.substr(0, after.find(opens));
    record.reasoning = openingMarker(std::string_view(*text).substr(0, thought), record.reasoningEnd, openings);
    const std::size_t empty = openings.off.find(record.reasoning);
    if (record.reasoningEnd.empty() && empty != std::string::npos)
      record.reasoningEnd = openings.off.substr(empty + record.reasoning.size());
    const std::string both = record.reasoning + record.reasoningEnd;
    if (startsWith(record.section, both))
      record.section.erase(0, both.size());
    return;
  }
}

void findContentMarkers(const TemplateAccess& access, FormatRecord& record) {
  const Probe probe(access, record);
  const auto plain = probe.answer({{"role", "assistant"}, {"content", kContent}});
  const std::size_t content = plain ? plain->find(kContent) : std::string::npos;
  if (content == std::string::npos)
    return;
  if (record.contentBegin.empty()) {
    const std::string_view before = std::string_view(*plain).substr(0, content);
    std::size_t common = 0;
    for (const std::string& opening : openingsOf(probe, record).all)
      common = std::max(common, commonPrefix(before, opening));
    const std::size_t prompt = before.find(trimmedRight(record.generationPrompt));
    if (prompt != std::string_view::npos)
      common = std::max(common, prompt + trimmedRight(record.generationPrompt).size());
    const std::string begin(trimmedLeft(before.substr(common)));
    const bool ofReasoning =
        !record.reasoningEnd.empty() &&
        (begin.find(trimmed(record.reasoningEnd)) != std::string::npos || startsWith(begin, trimmed(record.reasoning)));
    const std::string opens(trimmed(throughFirstTag(begin)));
    if (record.reasoning.empty() && !closingTag(opens).empty() && begin == opens + closingTag(opens)) {
      record.reasoning = opens;
      record.reasoningEnd = closingTag(opens);
    } else if (!ofReasoning) {
      record.contentBegin = begin;
    }
    if (!record.contentBegin.empty() && endsWith(record.reasoningEnd, record.contentBegin))
      record.reasoningEnd.resize(record.reasoningEnd.size() - record.contentBegin.size());
  }
  if (record.contentBegin.empty())
    return;
  // What ends the content is what a message of calls does not end with.
  const Json call = probe::call(0, record.stringArguments);
  const auto calls = probe.answer({{"role", "assistant"}, {"content", ""}, {"tool_calls", Json::array({call})}});
  const std::string_view after = std::string_view(*plain).substr(content + kContent.size());
  if (calls && record.style != CallStyle::kNone)
    record.contentEnd = beforeEos(after.substr(0, turnEnd(after, *calls)));
  // A content that is empty stands in front of the calls of some.
  if (const std::string empty = record.contentBegin + record.contentEnd; startsWith(record.section, empty))
    record.section.erase(0, empty.size());
}

} // namespace llcuda::server
