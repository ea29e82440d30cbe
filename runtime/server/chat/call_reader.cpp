// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/call_reader.h"

#include <algorithm>

#include "runtime/server/chat/marks.h"

namespace llcuda::server {
namespace {

constexpr std::size_t kMaxName = 256; // bytes

/// What ends a name or id: white space and what surrounds names in some format.
bool endsWord(char c) {
  return static_cast<unsigned char>(c) <= ' ' ||
         std::string_view("\"'<>[]{}()=:,|\\`").find(c) != std::string_view::npos;
}

} // namespace

const ChatTool* findTool(const std::vector<ChatTool>& tools, std::string_view name) {
  const auto found = std::find_if(tools.begin(), tools.end(), [&](const ChatTool& tool) { return tool.name == name; });
  return found == tools.end() ? nullptr : &*found;
}

Progress ObjectReader::read(std::string& buffer, ReadCall& call) {
  for (std::size_t i = 0; i < buffer.size(); ++i) {
    const Progress progress = step(buffer[i], call);
    if (progress == Progress::kMore)
      continue;
    buffer.erase(0, i + (progress == Progress::kDone));
    return progress;
  }
  buffer.clear();
  return Progress::kMore;
}

Progress ObjectReader::step(char c, ReadCall& call) {
  if (place == Place::kValue)
    return value(c, call);
  if (place == Place::kKey && !text.empty()) { // inside the key
    const JsonScanner::Status status = scanner.feed(c);
    text += c;
    if (status == JsonScanner::Status::kMore)
      return Progress::kMore;
    const Json read = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (status == JsonScanner::Status::kError || !read.is_string())
      return Progress::kFailed;
    key = read.get<std::string>();
    if (keys.nameIsKey && first)
      call.name = key;
    text.clear();
    place = Place::kColon;
    return Progress::kMore;
  }
  if (isBlank(c))
    return Progress::kMore;
  switch (place) {
  case Place::kOpen:
    place = Place::kKey;
    return c == '{' ? Progress::kMore : Progress::kFailed;
  case Place::kKey:
    if (c == '}' && first)
      return ended(call);
    if (c != '"')
      return Progress::kFailed;
    scanner = JsonScanner();
    scanner.feed(c);
    text = c;
    return Progress::kMore;
  case Place::kColon:
    place = Place::kValue;
    scanner = JsonScanner();
    bare = false;
    return c == ':' ? Progress::kMore : Progress::kFailed;
  default:
    if (c == '}')
      return ended(call);
    place = Place::kKey;
    return c == ',' ? Progress::kMore : Progress::kFailed;
  }
}

Progress ObjectReader::value(char c, ReadCall& call) {
  if (text.empty() && isBlank(c))
    return Progress::kMore;
  if (bare && (isBlank(c) || c == ',' || c == '}')) { // a number has no end of its own
    if (const Progress progress = valueEnded(call); progress != Progress::kMore)
      return progress;
    return step(c, call);
  }
  const bool begins = text.empty();
  if (begins)
    bare = c == '-' || (c >= '0' && c <= '9');
  const JsonScanner::Status status = scanner.feed(c);
  if (status == JsonScanner::Status::kError)
    return Progress::kFailed;
  text += c;
  if (isArguments() && text.front() == '{') {
    if (begins && !call.name.empty())
      call.begun = true;
    if (call.begun)
      call.arguments += c;
    else
      held += c;
  }
  return status == JsonScanner::Status::kDone ? valueEnded(call) : Progress::kMore;
}

Progress ObjectReader::valueEnded(ReadCall& call) {
  if (isArguments() && text.front() == '{') {
    argumentsSeen = true;
  } else {
    const Json read = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (read.is_discarded())
      return Progress::kFailed;
    if (isArguments()) { // an object inside of a string
      const std::string inner = read.is_string() ? read.get<std::string>() : "";
      if (!Json::parse(inner, nullptr, false).is_object())
        return Progress::kFailed;
      held = inner;
      argumentsSeen = true;
    } else if (key == keys.nameKey && read.is_string()) {
      call.name = read.get<std::string>();
    } else if (key == keys.idKey && !key.empty() && read.is_string()) {
      call.id = read.get<std::string>();
    }
  }
  first = false;
  text.clear();
  place = Place::kNext;
  return Progress::kMore;
}

Progress ObjectReader::ended(ReadCall& call) {
  if (call.name.empty())
    return Progress::kFailed;
  if (!argumentsSeen)
    held = "{}";
  call.begun = true;
  call.arguments += held;
  held.clear();
  return Progress::kDone;
}

CallReader::CallReader(const FormatRecord& record, const std::vector<ChatTool>& tools, std::string_view opening,
                       bool known)
    : record(record), tools(tools), known(known), parts(record.call), object(record.object) {
  if (!opening.empty())
    parts.insert(parts.begin(), {CallPart::Kind::kText, std::string(opening)});
}

bool CallReader::accepted(const ReadCall& call) const {
  return !call.name.empty() && call.name.size() <= kMaxName && (!known || findTool(tools, call.name));
}

Progress CallReader::read(std::string& buffer, bool last, ReadCall& call) {
  for (; at < parts.size(); ++at) {
    const Progress progress = part(buffer, last, call);
    if (progress != Progress::kDone)
      return progress;
  }
  return Progress::kDone;
}

Progress CallReader::part(std::string& buffer, bool last, ReadCall& call) {
  switch (parts[at].kind) {
  case CallPart::Kind::kText: {
    std::size_t used = 0;
    const Match match = matchMarker(buffer, parts[at].text, last, used);
    if (match != Match::kYes)
      return match == Match::kPartial ? Progress::kMore : Progress::kFailed;
    buffer.erase(0, used);
    return Progress::kDone;
  }
  case CallPart::Kind::kName: {
    std::string name;
    const Progress progress = word(buffer, last, name, false);
    if (progress == Progress::kDone)
      call.name = std::move(name);
    return progress;
  }
  case CallPart::Kind::kId:
    return word(buffer, last, call.id, false);
  case CallPart::Kind::kIndex: {
    std::string index;
    return word(buffer, last, index, true);
  }
  case CallPart::Kind::kObject: {
    const bool had = call.begun;
    const Progress progress = object.read(buffer, call);
    if (call.begun && !had && !accepted(call)) {
      call.begun = false;
      return Progress::kFailed;
    }
    return progress;
  }
  case CallPart::Kind::kArguments:
    return arguments(buffer, last, call);
  }
  return Progress::kFailed;
}

Progress CallReader::word(std::string& buffer, bool last, std::string& into, bool digits) {
  const auto ends = [&](char c) { return digits ? c < '0' || c > '9' : endsWord(c); };
  const std::size_t begin = buffer.size() - trimmedLeft(buffer).size();
  const auto end = std::find_if(buffer.begin() + static_cast<std::ptrdiff_t>(begin), buffer.end(), ends);
  const std::size_t length = static_cast<std::size_t>(end - buffer.begin()) - begin;
  if (length > kMaxName)
    return Progress::kFailed;
  if (end == buffer.end())
    return last ? Progress::kFailed : Progress::kMore;
  if (length == 0)
    return Progress::kFailed;
  into = buffer.substr(begin, length);
  buffer.erase(0, begin + length);
  return Progress::kDone;
}

Progress CallReader::arguments(std::string& buffer, bool last, ReadCall& call) {
  if (!reader) {
    const ChatTool* tool = findTool(tools, call.name);
    const bool textBehind = at + 1 < parts.size() && parts[at + 1].kind == CallPart::Kind::kText;
    reader = makeArgumentReader(record, textBehind ? std::string_view(parts[at + 1].text) : std::string_view(),
                                tool ? tool->parameters : Json());
  }
  if (!call.begun) {
    const Match begins = reader->begins(buffer, last);
    if (begins != Match::kYes)
      return begins == Match::kPartial ? Progress::kMore : Progress::kFailed;
    if (!accepted(call))
      return Progress::kFailed;
    call.begun = true;
  }
  return reader->read(buffer, last, call.arguments);
}

} // namespace llcuda::server
