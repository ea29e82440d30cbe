// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/argument_readers.h"

#include <algorithm>

#include "runtime/server/chat/argument_value.h"
#include "runtime/server/chat/marks.h"

namespace llcuda::server {
namespace {

constexpr std::size_t kMaxKey = 1024; // bytes
constexpr std::size_t kNone = std::string_view::npos;

/// Bytes at the end that are the begin of a character of UTF-8.
std::size_t openCharacter(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80)
      continue;
    const std::size_t needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? back : 0;
  }
  return 0;
}

Match firstIs(std::string_view buffer, char c, bool last) {
  const std::string_view left = trimmedLeft(buffer);
  if (left.empty())
    return last ? Match::kNo : Match::kPartial;
  return left.front() == c ? Match::kYes : Match::kNo;
}

/// JSON as it is.
class JsonArguments final : public ArgumentReader {
public:
  Match begins(std::string_view buffer, bool last) const override { return firstIs(buffer, '{', last); }

  Progress read(std::string& buffer, bool, std::string& out) override {
    if (!started)
      buffer.erase(0, buffer.size() - trimmedLeft(buffer).size());
    for (std::size_t i = 0; i < buffer.size(); ++i) {
      started = true;
      const JsonScanner::Status status = scanner.feed(buffer[i]);
      if (status == JsonScanner::Status::kMore)
        continue;
      const bool done = status == JsonScanner::Status::kDone;
      out.append(buffer, 0, i + done);
      buffer.erase(0, i + done);
      return done ? Progress::kDone : Progress::kFailed;
    }
    out += buffer;
    buffer.clear();
    return Progress::kMore;
  }

private:
  JsonScanner scanner;
  bool started = false;
};

/// {key:<quote>text<quote>,n:1,list:[1],object:{k:true}}: JSON with bare keys and another quote.
class BareArguments final : public ArgumentReader {
public:
  explicit BareArguments(std::string quote) : quote(std::move(quote)) {}
  Match begins(std::string_view buffer, bool last) const override { return firstIs(buffer, '{', last); }

  Progress read(std::string& buffer, bool last, std::string& out) override {
    for (;;) {
      const std::size_t before = buffer.size();
      const Progress progress = step(buffer, last, out);
      if (progress != Progress::kMore || buffer.size() == before)
        return progress;
    }
  }

private:
  Progress step(std::string& buffer, bool last, std::string& out) {
    if (inString)
      return string(buffer, last, out);
    buffer.erase(0, buffer.size() - trimmedLeft(buffer).size());
    if (buffer.empty())
      return Progress::kMore;
    if (atKey && buffer.front() != '}')
      return key(buffer, out);
    const char c = buffer.front();
    std::size_t used = 0;
    if (c == '{' || c == '[')
      return open(c, buffer, out);
    if (c == '}' || c == ']')
      return close(c, buffer, out);
    if (open_.empty())
      return Progress::kFailed;
    if (c == ',') {
      take(buffer, 1, ", ", out);
      atKey = open_.back() == '{';
      return Progress::kMore;
    }
    const Match match = matchMarker(buffer, quote, last, used);
    if (match == Match::kPartial)
      return Progress::kMore;
    if (match == Match::kYes) {
      take(buffer, used, "\"", out);
      inString = true;
      return Progress::kMore;
    }
    return word(buffer, out);
  }

  static void take(std::string& buffer, std::size_t count, std::string_view json, std::string& out) {
    buffer.erase(0, count);
    out += json;
  }

  Progress open(char c, std::string& buffer, std::string& out) {
    if (open_.size() > 128 || (open_.empty() && c == '['))
      return Progress::kFailed;
    open_ += c;
    atKey = c == '{';
    take(buffer, 1, std::string(1, c), out);
    return Progress::kMore;
  }

  Progress close(char c, std::string& buffer, std::string& out) {
    if (open_.empty() || open_.back() != (c == '}' ? '{' : '['))
      return Progress::kFailed;
    open_.pop_back();
    atKey = false;
    take(buffer, 1, std::string(1, c), out);
    return open_.empty() ? Progress::kDone : Progress::kMore;
  }

  Progress key(std::string& buffer, std::string& out) {
    const std::size_t colon = buffer.find(':');
    if (colon == kNone)
      return buffer.size() > kMaxKey ? Progress::kFailed : Progress::kMore;
    std::string_view name = trimmed(std::string_view(buffer).substr(0, colon));
    for (const std::string_view around : {std::string_view(quote), std::string_view("\"")})
      if (name.size() >= 2 * around.size() && name.substr(0, around.size()) == around &&
          name.substr(name.size() - around.size()) == around)
        name = name.substr(around.size(), name.size() - 2 * around.size());
    const std::string json = jsonQuoted(name) + ": ";
    take(buffer, colon + 1, json, out);
    atKey = false;
    return Progress::kMore;
  }

  Progress string(std::string& buffer, bool last, std::string& out) {
    const std::size_t end = buffer.find(quote);
    std::size_t length = end;
    if (end == kNone) {
      length = last ? buffer.size() : safeLength(buffer, quote);
      length -= openCharacter(std::string_view(buffer).substr(0, length));
    }
    out += jsonEscaped(std::string_view(buffer).substr(0, length));
    buffer.erase(0, length);
    if (end != kNone) {
      take(buffer, quote.size(), "\"", out);
      inString = false;
    }
    return Progress::kMore;
  }

  Progress word(std::string& buffer, std::string& out) {
    const std::size_t end = buffer.find_first_of(",}] \n\t\r");
    if (end == kNone)
      return buffer.size() > kMaxKey ? Progress::kFailed : Progress::kMore;
    const auto value = jsonOfPython(std::string_view(buffer).substr(0, end));
    if (!value)
      return Progress::kFailed;
    take(buffer, end, *value, out);
    return Progress::kMore;
  }

  std::string quote, open_;
  bool atKey = false, inString = false;
};

/// begin KEY middle VALUE end, up to the text behind the arguments.
class TaggedArguments final : public ArgumentReader {
public:
  TaggedArguments(const TaggedArgument& tags, std::string_view end, const Json& parameters)
      : tags(tags), callEnd(end), parameters(parameters) {
    const std::string_view a = tags.middle, b = tags.otherMiddle;
    const auto front = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    middleFront = a.substr(0, static_cast<std::size_t>(front.first - a.begin()));
    typed = a != b;
    if (typed) {
      const std::size_t most = std::min(a.size(), b.size()) - middleFront.size();
      while (middleBack.size() < most && a[a.size() - middleBack.size() - 1] == b[b.size() - middleBack.size() - 1])
        middleBack = a.substr(a.size() - middleBack.size() - 1);
      stringWord = a.substr(middleFront.size(), a.size() - middleFront.size() - middleBack.size());
    }
  }

  Match begins(std::string_view buffer, bool last) const override {
    std::size_t used = 0;
    return std::max(ends(buffer, last), matchMarker(buffer, tags.begin, last, used));
  }

  Progress read(std::string& buffer, bool last, std::string& out) override {
    if (out.empty() && count == 0 && place == Place::kNext && !opened) {
      out += '{';
      opened = true;
    }
    for (;;) {
      const Place before = place;
      const std::size_t size = buffer.size();
      const Progress progress = step(buffer, last, out);
      if (progress != Progress::kMore || (place == before && buffer.size() == size))
        return progress;
    }
  }

private:
  enum class Place { kNext, kKey, kValue, kStringBegin, kString };

  Match ends(std::string_view buffer, bool last) const {
    std::size_t used = 0;
    return trimmed(callEnd).empty() ? Match::kNo : matchMarker(buffer, callEnd, last, used);
  }

  Progress step(std::string& buffer, bool last, std::string& out) {
    switch (place) {
    case Place::kNext:
      return next(buffer, last, out);
    case Place::kKey:
      return readKey(buffer, last, out);
    case Place::kValue:
      return value(buffer, out);
    case Place::kStringBegin:
      return stringBegin(buffer, last);
    case Place::kString:
      return string(buffer, last, out);
    }
    return Progress::kFailed;
  }

  Progress next(std::string& buffer, bool last, std::string& out) {
    std::size_t used = 0;
    const Match end = ends(buffer, last);
    if (end == Match::kYes) {
      out += '}';
      return Progress::kDone;
    }
    const std::string begin = (count > 0 ? tags.separator : "") + tags.begin;
    Match match = matchMarker(buffer, begin, last, used);
    if (match == Match::kNo && count > 0)
      match = matchMarker(buffer, tags.begin, last, used);
    if (end == Match::kPartial || match == Match::kPartial)
      return Progress::kMore;
    if (match == Match::kNo)
      return Progress::kFailed;
    buffer.erase(0, used);
    place = Place::kKey;
    return Progress::kMore;
  }

  /// The first place where the text between key and value begins.
  Progress readKey(std::string& buffer, bool last, std::string& out) {
    const std::string_view front = trimmedRight(middleFront);
    const std::size_t end = buffer.find(front);
    if (end == kNone || front.empty())
      return buffer.size() > kMaxKey ? Progress::kFailed : Progress::kMore;
    const std::string_view rest = std::string_view(buffer).substr(end);
    std::size_t used = 0;
    std::string type;
    if (typed) {
      const std::size_t back = rest.find(middleBack, middleFront.size());
      if (back == kNone)
        return rest.size() > kMaxKey ? Progress::kFailed : Progress::kMore;
      type = rest.substr(middleFront.size(), back - middleFront.size());
      used = back + middleBack.size();
    } else if (const Match match = matchMarker(rest, tags.middle, last, used); match != Match::kYes) {
      return match == Match::kPartial ? Progress::kMore : Progress::kFailed;
    }
    key = buffer.substr(0, end);
    buffer.erase(0, end + used);
    kind = typed ? (type == stringWord ? ValueKind::kString : ValueKind::kOther) : valueKind(parameters, key);
    valueEnd = trimmedLeft(tags.end);
    if (tags.endHasKey)
      valueEnd += key + std::string(trimmedRight(tags.endTail));
    out += (count++ > 0 ? ", " : "") + jsonQuoted(key) + ": ";
    searched = 0;
    place = Place::kValue;
    if (kind == ValueKind::kString) {
      out += '"';
      place = tags.cdata ? Place::kStringBegin : Place::kString;
    }
    return Progress::kMore;
  }

  /// A string may be wrapped.
  Progress stringBegin(std::string& buffer, bool last) {
    constexpr std::string_view kOpen = "<![CDATA[", kClose = "]]>";
    const std::size_t same = std::min(buffer.size(), kOpen.size());
    if (same < kOpen.size() && !last && std::string_view(buffer) == kOpen.substr(0, same))
      return Progress::kMore;
    if (buffer.compare(0, kOpen.size(), kOpen) == 0) {
      buffer.erase(0, kOpen.size());
      valueEnd = std::string(kClose) + valueEnd;
    }
    place = Place::kString;
    return Progress::kMore;
  }

  /// White space that stands in front of the end and belongs to it.
  std::string_view withoutEnd(std::string_view text) const {
    const std::string_view space = std::string_view(tags.end).substr(0, tags.end.size() - trimmedLeft(tags.end).size());
    if (text.size() >= space.size() && text.substr(text.size() - space.size()) == space)
      text.remove_suffix(space.size());
    return text;
  }

  void ended(std::string& buffer, std::size_t at) {
    buffer.erase(0, at + valueEnd.size());
    place = Place::kNext;
  }

  Progress value(std::string& buffer, std::string& out) {
    const std::size_t end = buffer.find(valueEnd, searched);
    if (end == kNone) {
      searched = buffer.size() - std::min(buffer.size(), valueEnd.size());
      return Progress::kMore;
    }
    out += valueOfText(withoutEnd(std::string_view(buffer).substr(0, end)), kind);
    ended(buffer, end);
    return Progress::kMore;
  }

  Progress string(std::string& buffer, bool last, std::string& out) {
    const std::size_t end = buffer.find(valueEnd);
    if (end != kNone) {
      out += jsonEscaped(withoutEnd(std::string_view(buffer).substr(0, end))) + '"';
      ended(buffer, end);
      return Progress::kMore;
    }
    std::size_t length = buffer.size();
    if (!last) {
      length = safeLength(buffer, valueEnd);
      const std::size_t space = tags.end.size() - trimmedLeft(tags.end).size();
      for (std::size_t i = 0; i < space && length > 0 && isBlank(buffer[length - 1]); ++i) --length;
      length -= openCharacter(std::string_view(buffer).substr(0, length));
    }
    out += jsonEscaped(std::string_view(buffer).substr(0, length));
    buffer.erase(0, length);
    return Progress::kMore;
  }

  TaggedArgument tags;
  std::string callEnd;
  Json parameters;
  std::string middleFront, middleBack, stringWord, key, valueEnd;
  bool typed = false, opened = false;
  std::size_t count = 0, searched = 0;
  ValueKind kind = ValueKind::kEither;
  Place place = Place::kNext;
};

/// (key='value', n=1)
class PythonicArguments final : public ArgumentReader {
public:
  Match begins(std::string_view buffer, bool last) const override { return firstIs(buffer, '(', last); }

  Progress read(std::string& buffer, bool, std::string& out) override {
    if (!opened) {
      buffer.erase(0, buffer.size() - trimmedLeft(buffer).size() + 1);
      opened = true;
      out += '{';
    }
    while (scanned < buffer.size()) {
      const char c = buffer[scanned++];
      if (quote != 0) {
        if (escaped)
          escaped = false;
        else if (c == '\\')
          escaped = true;
        else if (c == quote)
          quote = 0;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '[' || c == '{' || c == '(') {
        ++depth;
      } else if (depth > 0 && (c == ']' || c == '}' || c == ')')) {
        --depth;
      } else if (c == ',' || c == ')') {
        if (!argument(std::string_view(buffer).substr(0, scanned - 1), c == ')', out))
          return Progress::kFailed;
        buffer.erase(0, scanned);
        scanned = 0;
        if (c == ')') {
          out += '}';
          return Progress::kDone;
        }
      }
    }
    return Progress::kMore;
  }

private:
  bool argument(std::string_view text, bool mayBeEmpty, std::string& out) {
    if (trimmed(text).empty())
      return mayBeEmpty;
    const std::size_t equals = text.find('=');
    if (equals == kNone)
      return false;
    const auto value = jsonOfPython(trimmed(text.substr(equals + 1)));
    if (!value)
      return false;
    out += (count++ > 0 ? ", " : "") + jsonQuoted(trimmed(text.substr(0, equals))) + ": " + *value;
    return true;
  }

  bool opened = false, escaped = false;
  char quote = 0;
  int depth = 0;
  std::size_t scanned = 0, count = 0;
};

} // namespace

Match matchMarker(std::string_view text, std::string_view marker, bool last, std::size_t& used) {
  const std::string_view tail = marker.substr(trimmedRight(marker).size());
  const std::string_view core = trimmed(marker);
  const auto open = [&] { return last ? Match::kNo : Match::kPartial; };
  std::size_t at = text.size() - trimmedLeft(text).size();
  for (std::size_t i = 0; i < core.size();) {
    if (isBlank(core[i])) {
      while (isBlank(core[i])) ++i;
      while (at < text.size() && isBlank(text[at])) ++at;
    }
    if (at == text.size())
      return open();
    if (text[at] != core[i])
      return Match::kNo;
    ++at;
    ++i;
  }
  if (core.empty()) {
    used = at;
    return at == text.size() ? (last ? Match::kYes : Match::kPartial) : Match::kYes;
  }
  for (const char c : tail) {
    if (at == text.size()) {
      if (!last)
        return Match::kPartial;
      break;
    }
    if (text[at] != c)
      break;
    ++at;
  }
  used = at;
  return Match::kYes;
}

std::size_t safeLength(std::string_view text, std::string_view word) {
  for (std::size_t length = std::min(text.size(), word.empty() ? 0 : word.size() - 1); length > 0; --length)
    if (text.substr(text.size() - length) == word.substr(0, length))
      return text.size() - length;
  return text.size();
}

std::unique_ptr<ArgumentReader> makeArgumentReader(const FormatRecord& record, std::string_view end,
                                                   const Json& parameters) {
  switch (record.style) {
  case CallStyle::kTagged:
    return std::make_unique<TaggedArguments>(record.argument, end, parameters);
  case CallStyle::kPythonic:
    return std::make_unique<PythonicArguments>();
  default:
    if (!record.quote.empty())
      return std::make_unique<BareArguments>(record.quote);
    return std::make_unique<JsonArguments>();
  }
}

} // namespace llcuda::server
