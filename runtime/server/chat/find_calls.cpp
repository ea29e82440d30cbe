// SPDX-License-Identifier: Apache-2.0
// How a template writes calls: where name, id and arguments stand, and what stands around and between them.
#include <algorithm>

#include "runtime/server/chat/json_scanner.h"
#include "runtime/server/chat/marks.h"
#include "runtime/server/chat/probe.h"

namespace llcuda::server {
namespace {

using Kind = CallPart::Kind;
using probe::kIds;
using probe::kKeys;
using probe::kNames;
using probe::kNumbers;
using probe::kStrings;
constexpr std::size_t kNone = std::string_view::npos;

/// A call in a text: [begin, end), and what it is made of.
struct Unit {
  std::size_t begin = 0, end = 0;
  CallStyle style = CallStyle::kNone;
  std::vector<CallPart> parts; ///< without what stands in front of it and behind it
  CallObject object;
  std::string quote;
  // kTagged: what stands around the keys and values.
  std::string beforeFirst, middle, otherMiddle, between;
};

/// Whether the value is this call's id; a number of it as text, such as "0", too: then `index` is set.
bool isId(const Json& value, int number, bool& index) {
  if (value == Json(kIds[number]))
    return true;
  const std::string digits = value.is_number_integer() ? value.dump()
                             : value.is_string()       ? value.get<std::string>()
                                                       : "";
  index = digits == std::to_string(number) || digits == std::to_string(number + 1);
  return index;
}

/// The object around [begin, end) that has the name too.
bool readObject(std::string_view text, std::size_t from, std::size_t begin, std::size_t end, int number, Unit& unit) {
  for (std::size_t open = begin; open > from;) {
    open = text.rfind('{', open - 1);
    if (open == kNone || open < from)
      return false;
    const std::size_t close = jsonEnd(text, open);
    if (close == kNone || close < end)
      continue;
    const Json object = Json::parse(text.substr(open, close - open), nullptr, /*allow_exceptions=*/false);
    if (!object.is_object())
      continue;
    const Json arguments = Json::parse(text.substr(begin, end - begin), nullptr, false);
    CallObject& found = unit.object;
    bool idSeen = false;
    for (const auto& [key, value] : object.items()) {
      if (key == kNames[number] && value == arguments)
        found.nameIsKey = true;
      else if (value == arguments)
        found.argumentsKey = key;
      else if (value == Json(kNames[number]))
        found.nameKey = key;
      else if (isId(value, number, found.idIsIndex)) {
        found.idKey = key;
        idSeen = true;
        found.idFirst = found.nameKey.empty();
      }
    }
    if (!found.nameIsKey && (found.nameKey.empty() || found.argumentsKey.empty()))
      return false;
    found.idFirst = found.idFirst && idSeen;
    unit.begin = open;
    unit.end = close;
    unit.parts = {{Kind::kObject}};
    return true;
  }
  return false;
}

/// Name and id in [from, arguments), and the text between them, in order; then the arguments.
bool readParts(std::string_view text, std::size_t from, std::size_t arguments, int number, Unit& unit) {
  std::vector<std::pair<std::size_t, Kind>> slots;
  const auto collect = [&](std::string_view word, Kind kind) {
    for (std::size_t at = text.find(word, from); at < arguments; at = text.find(word, at + 1))
      slots.push_back({at, kind});
  };
  collect(kNames[number], Kind::kName);
  if (slots.empty())
    return false;
  collect(kIds[number], Kind::kId);
  std::sort(slots.begin(), slots.end());
  unit.begin = slots.front().first;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto [at, kind] = slots[i];
    const std::size_t end = at + (kind == Kind::kName ? kNames[number] : kIds[number]).size();
    const std::size_t next = i + 1 < slots.size() ? slots[i + 1].first : arguments;
    unit.parts.push_back({kind});
    if (next > end)
      unit.parts.push_back({Kind::kText, std::string(text.substr(end, next - end))});
  }
  unit.parts.push_back({Kind::kArguments});
  return true;
}

/// The call `number` in the text behind `from`.
std::optional<Unit> readUnit(std::string_view text, std::size_t from, int number) {
  const std::size_t key = text.find(kKeys[0], from), value = text.find(kStrings[number], key);
  const std::size_t otherKey = text.find(kKeys[1], value), other = text.find(kNumbers[number], otherKey);
  if (other == kNone || key == 0)
    return std::nullopt;
  const std::size_t keyEnd = key + kKeys[0].size(), valueEnd = value + kStrings[number].size();
  const std::size_t otherEnd = other + kNumbers[number].size();
  Unit unit;
  const std::string_view front = trimmedRight(text.substr(0, key - 1));
  if (text[key - 1] == '"' && !front.empty() && front.back() == '{') {
    unit.style = CallStyle::kJson;
    const std::size_t begin = front.size() - 1;
    unit.end = jsonEnd(text, begin);
    if (unit.end == kNone)
      return std::nullopt;
    if (!readObject(text, from, begin, unit.end, number, unit) && !readParts(text, from, begin, number, unit))
      return std::nullopt;
    return unit;
  }
  const std::string_view middle = text.substr(keyEnd, value - keyEnd);
  if (text[key - 1] == '(' && middle.substr(0, 1) == "=") {
    unit.style = CallStyle::kPythonic;
    unit.end = text.find(')', otherEnd) + 1;
    return unit.end > 0 && readParts(text, from, key - 1, number, unit) ? std::optional(unit) : std::nullopt;
  }
  if (text[key - 1] == '{' && middle.size() > 1 && middle[0] == ':') {
    unit.style = CallStyle::kJson;
    unit.quote = middle.substr(1);
    unit.end = text.find('}', otherEnd) + 1;
    return unit.end > 0 && readParts(text, from, key - 1, number, unit) ? std::optional(unit) : std::nullopt;
  }
  unit.style = CallStyle::kTagged;
  unit.middle = middle;
  unit.otherMiddle = text.substr(otherKey + kKeys[1].size(), other - otherKey - kKeys[1].size());
  unit.between = text.substr(valueEnd, otherKey - valueEnd);
  unit.end = otherEnd;
  if (!readParts(text, from, key, number, unit))
    return std::nullopt;
  if (unit.parts[unit.parts.size() - 2].kind == Kind::kText)
    unit.beforeFirst = unit.parts[unit.parts.size() - 2].text;
  return unit;
}

/// The tags around an argument, from what stands around two of them; `tail` is what follows the last value. Says how
/// many bytes of the tail are the argument's.
std::size_t readTags(const Unit& unit, std::string_view tail, TaggedArgument& tags) {
  tags.middle = unit.middle;
  tags.otherMiddle = unit.otherMiddle;
  std::string_view rest = unit.between;
  std::size_t used = 0;
  const std::size_t again = rest.find(kKeys[0]);
  tags.endHasKey = again != kNone;
  if (tags.endHasKey) {
    tags.end = rest.substr(0, again);
    rest.remove_prefix(again + kKeys[0].size());
    used = tags.end.size() + kKeys[1].size();
  }
  const std::size_t begin = commonSuffix(unit.beforeFirst, rest);
  tags.begin = rest.substr(rest.size() - begin);
  rest.remove_suffix(begin);
  const std::size_t end = commonPrefix(rest, tail.substr(std::min(used, tail.size())));
  (tags.endHasKey ? tags.endTail : tags.end) = rest.substr(0, end);
  tags.separator = rest.substr(end);
  return used + end;
}

struct Rendered {
  std::string text; ///< what the template wrote for the calls alone
  std::vector<Unit> units;
};

/// The first of a message's calls with `count` calls, and the second where it is written.
std::optional<Rendered> render(const Probe& probe, const FormatRecord& record, int count, bool argumentsAsText) {
  Json message = {{"role", "assistant"}, {"content", record.nullContent ? Json() : Json("")}};
  for (int i = 0; i < count; ++i) message["tool_calls"].push_back(probe::call(i, argumentsAsText));
  const auto text = probe.answer(message);
  const auto plain = probe.answer({{"role", "assistant"}, {"content", probe::kContent}});
  if (!text || !plain || text->find("\\\"" + std::string(kKeys[0])) != kNone || text->find(kNames[0]) == kNone)
    return std::nullopt;
  // It begins where the text is another one than without calls, and no later than the generation prompt ends.
  std::size_t opening = 0;
  for (const bool thinking : {true, false}) {
    const Json variables = record.thinkingVariable.empty() ? Json::object() : Json{{record.thinkingVariable, thinking}};
    if (const auto prompt = probe.opening(variables))
      opening = std::max(opening, commonPrefix(*text, *prompt));
  }
  const std::size_t common = commonPrefix(*text, *plain), end = turnEnd(*text, *plain);
  const std::size_t prompt = text->find(trimmedRight(record.generationPrompt));
  if (prompt != kNone && prompt + record.generationPrompt.size() <= common)
    opening = std::max(opening, prompt + record.generationPrompt.size());
  const std::size_t begin = std::min(common, opening);
  if (end < begin)
    return std::nullopt;
  Rendered result;
  result.text = text->substr(begin, end - begin);
  // Reasoning that is opened and closed in front of the calls is none of theirs.
  for (const std::string* marker : {&record.reasoning, &record.reasoningEnd}) {
    const std::string_view left = trimmedLeft(result.text), core = trimmed(*marker);
    if (!core.empty() && left.substr(0, core.size()) == core)
      result.text = left.substr(core.size());
  }
  std::size_t from = 0;
  for (int i = 0; i < count; ++i) {
    const auto unit = readUnit(result.text, from, i);
    if (!unit)
      break;
    result.units.push_back(*unit);
    from = unit->end;
  }
  return result.units.empty() ? std::nullopt : std::optional(result);
}

/// Splits digits that count the calls out of the parts of the first call, where the second has others.
void findIndex(std::vector<CallPart>& parts, const std::vector<CallPart>& second, int& firstIndex) {
  if (parts.size() != second.size())
    return;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string a = parts[i].text, b = second[i].text;
    if (parts[i].kind != Kind::kText || a == b || a.size() != b.size())
      continue;
    const std::size_t at = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
    if (a[at] < '0' || a[at] > '1' || b[at] != a[at] + 1 || a.substr(at + 1) != b.substr(at + 1))
      continue;
    firstIndex = a[at] - '0';
    std::vector<CallPart> split;
    if (at > 0)
      split.push_back({Kind::kText, a.substr(0, at)});
    split.push_back({Kind::kIndex});
    if (at + 1 < a.size())
      split.push_back({Kind::kText, a.substr(at + 1)});
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(i), split.begin(), split.end());
    return;
  }
}

void fill(FormatRecord& record, Rendered one, const std::optional<Rendered>& two) {
  record.parallel = two && two->units.size() == 2;
  const Rendered& from = record.parallel ? *two : one;
  Unit first = from.units.front();
  const Unit& last = from.units.back();
  std::string_view head = std::string_view(from.text).substr(0, first.begin);
  std::string_view tail = std::string_view(from.text).substr(last.end);
  std::string_view between =
      record.parallel ? std::string_view(from.text).substr(first.end, last.begin - first.end) : std::string_view();
  record.style = first.style;
  record.object = first.object;
  record.quote = first.quote;
  if (record.style == CallStyle::kTagged) {
    const std::size_t used = readTags(first, tail, record.argument);
    tail.remove_prefix(used);
    between.remove_prefix(std::min(used, between.size()));
    CallPart& before = first.parts[first.parts.size() - 2];
    if (before.kind == Kind::kText)
      before.text.resize(before.text.size() - record.argument.begin.size());
  }
  std::string begin, end;
  if (record.parallel) {
    const std::size_t begins = commonSuffix(head, between);
    begin = head.substr(head.size() - begins);
    record.section = head.substr(0, head.size() - begins);
    between.remove_suffix(begins);
    const std::size_t ends = commonPrefix(between, tail);
    end = between.substr(0, ends);
    record.separator = between.substr(ends);
    record.sectionEnd = tail.substr(ends);
    std::vector<CallPart> second = last.parts;
    if (record.style == CallStyle::kTagged && second.size() > 1 && second[second.size() - 2].kind == Kind::kText)
      second[second.size() - 2].text.resize(second[second.size() - 2].text.size() -
                                            std::min(record.argument.begin.size(), last.beforeFirst.size()));
    findIndex(first.parts, second, record.firstIndex);
    if (record.object.idIsIndex)
      record.firstIndex = from.text.find("\"0\"") == kNone && from.text.find(": 0") == kNone ? 1 : 0;
  } else {
    begin = head;
    end = tail;
  }
  // White space between answer and section, or section and end of turn, is no marker.
  if (trimmed(record.section).empty())
    record.section.clear();
  const std::string closing = closingTag(throughFirstTag(trimmed(record.section)));
  if (const std::size_t at = record.sectionEnd.find(closing); !closing.empty() && at != std::string::npos)
    record.sectionEnd.resize(at + closing.size());
  record.sectionEnd = beforeEos(record.sectionEnd);
  if (trimmed(record.sectionEnd).empty())
    record.sectionEnd.clear();
  end = beforeEos(end);
  if (!begin.empty())
    record.call.push_back({Kind::kText, begin});
  for (CallPart& part : first.parts)
    if (part.kind != Kind::kText || !part.text.empty())
      record.call.push_back(std::move(part));
  if (!end.empty())
    record.call.push_back({Kind::kText, end});
}

std::string withoutSpaces(std::string_view text) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result), [](char c) { return c != ' '; });
  return result;
}

} // namespace

void findCalls(const TemplateAccess& access, FormatRecord& record) {
  const Probe probe(access, record);
  for (const bool null : {false, true}) {
    record.nullContent = null;
    const auto object = render(probe, record, 1, false), text = render(probe, record, 1, true);
    if (!object && !text)
      continue;
    record.objectArguments = !text || (object && withoutSpaces(text->text) != withoutSpaces(object->text));
    record.stringArguments = !object;
    fill(record, object ? *object : *text, render(probe, record, 2, record.stringArguments));
    break;
  }
  if (record.style == CallStyle::kNone) {
    record.nullContent = false;
    return;
  }
  Json both = {{"role", "assistant"}, {"content", probe::kContent}};
  both["tool_calls"].push_back(probe::call(0, record.stringArguments));
  const auto text = probe.answer(both);
  record.callsFirst =
      text && text->find(probe::kContent) != kNone && text->find(kNames[0]) < text->find(probe::kContent);
  if (record.style == CallStyle::kTagged) {
    Json markup = probe::call(0, false);
    markup["function"]["arguments"][std::string(kKeys[0])] = "<a>&";
    const auto written = probe.answer({{"role", "assistant"}, {"content", ""}, {"tool_calls", Json::array({markup})}});
    record.argument.cdata = written && written->find("<![CDATA[<a>&]]>") != kNone;
  }
  // Built-in tools of Llama 3 are called behind a token that the other calls may have in front too.
  Json call = probe::call(0, record.stringArguments);
  if (call["function"]["arguments"].is_object())
    call["function"]["arguments"].erase(std::string(kKeys[1]));
  const Json message = {{"role", "assistant"}, {"content", ""}, {"tool_calls", Json::array({call})}};
  const auto builtin = probe.answer(message, {{"builtin_tools", Json::array({kNames[0]})}});
  const auto usual = probe.answer(message);
  if (builtin && usual && *builtin != *usual) {
    const std::string_view more = std::string_view(*builtin).substr(commonPrefix(*builtin, *usual));
    const std::string_view tag = throughFirstTag(more);
    if (tag.size() < more.size() && tag.find(kNames[0]) == kNone)
      record.callPrefix = tag;
  }
}

} // namespace llcuda::server
