// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/answer_parser.h"

#include <algorithm>
#include <optional>
#include <random>

#include "runtime/server/chat/call_reader.h"
#include "runtime/server/chat/marks.h"

namespace llcuda::server {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

enum class MarkerKind { kReasoning, kReasoningEnd, kContent, kCall };

struct Marker {
  MarkerKind kind;
  std::string word;   ///< what is looked for
  bool first = false; ///< only where nothing but white space stands in front
};

std::string madeId(int length) {
  static constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  thread_local std::mt19937_64 random(std::random_device{}());
  std::string id = length > 0 ? "" : "call_";
  for (int i = length > 0 ? length : 24; i > 0; --i)
    id += kLetters[std::uniform_int_distribution<std::size_t>(0, kLetters.size() - 1)(random)];
  return id;
}

/// An id that the model wrote is kept where it can be one of a whole conversation.
bool isUsableId(std::string_view id, int length) {
  const auto good = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  const bool sized = length > 0 ? id.size() == static_cast<std::size_t>(length) : id.size() >= 9 && id.size() <= 64;
  return sized && std::all_of(id.begin(), id.end(), good);
}

/// The part of a marker that is looked for: up to its first white space.
std::string firstWord(std::string_view marker) {
  const std::string_view core = trimmed(marker);
  return std::string(core.substr(0, std::min(core.size(), core.find_first_of(" \n\t\r"))));
}

std::string firstText(const FormatRecord& record) {
  return record.call.empty() || record.call.front().kind != CallPart::Kind::kText ? "" : record.call.front().text;
}

/// What a call begins with, besides white space.
CallPart::Kind firstKind(const FormatRecord& record) {
  for (const CallPart& part : record.call)
    if (part.kind != CallPart::Kind::kText || !trimmed(part.text).empty())
      return part.kind;
  return CallPart::Kind::kText;
}

} // namespace

struct AnswerParser::State {
  explicit State(const ChatPrompt& prompt)
      : format(prompt.format), tools(prompt.tools), reasoning(prompt.opensReasoning),
        separated(prompt.reasoningFormat == ReasoningFormat::kDeepseek), dropSpace(prompt.opensReasoning) {
    reasoning = reasoning && separated;
    readsCalls = !tools.empty() && format->style != CallStyle::kNone;
    opening = format->section + firstText(*format);
    bare = trimmed(opening).empty();
  }

  // ---- text

  void text(Delta::Kind kind, std::string_view piece) {
    if (piece.empty())
      return;
    if (!out.empty() && out.back().kind == kind)
      out.back().text += piece;
    else
      out.push_back({kind, std::string(piece)});
  }

  /// Content or reasoning; white space at its end waits until it is known what follows.
  void plain(std::string_view piece) {
    if (dropSpace)
      piece = trimmedLeft(piece);
    if (piece.empty())
      return;
    const std::string_view body = trimmedRight(piece);
    if (!body.empty()) {
      dropSpace = false;
      text(reasoning ? Delta::Kind::kReasoning : Delta::Kind::kContent, space);
      text(reasoning ? Delta::Kind::kReasoning : Delta::Kind::kContent, body);
      space.clear();
      atStart = atStart && reasoning;
    }
    space += piece.substr(body.size());
  }

  std::vector<Marker> markers() const {
    std::vector<Marker> result;
    const auto add = [&](MarkerKind kind, std::string_view word, bool first = false) {
      if (!word.empty() && (atStart || !first))
        result.push_back({kind, std::string(word), first});
    };
    if (reasoning) {
      add(MarkerKind::kReasoningEnd, trimmed(format->reasoningEnd));
      return result;
    }
    if (separated)
      add(MarkerKind::kReasoning, trimmed(format->reasoning), true);
    add(MarkerKind::kContent, trimmed(format->contentBegin), true);
    add(MarkerKind::kContent, trimmed(format->contentEnd));
    if (readsCalls) {
      add(MarkerKind::kCall, firstWord(opening));
      add(MarkerKind::kCall, firstWord(format->callPrefix));
      if (bare)
        add(MarkerKind::kCall, trimmed(format->separator));
    }
    return result;
  }

  struct Found {
    std::size_t at = kNone;
    std::optional<Marker> marker; ///< none: a marker may begin there
  };

  /// The first marker in the buffer, the longest of those that begin there.
  Found find(bool last) const {
    Found found;
    std::size_t open = kNone;
    const std::size_t front = buffer.size() - trimmedLeft(buffer).size();
    for (const Marker& marker : markers()) {
      std::size_t at = buffer.find(marker.word);
      if (marker.first && at != front)
        at = kNone;
      if (at != kNone &&
          (at < found.at || (at == found.at && found.marker && marker.word.size() > found.marker->word.size())))
        found = {at, marker};
      if (const std::size_t safe = safeLength(buffer, marker.word);
          !last && safe < buffer.size() && (!marker.first || safe == front))
        open = std::min(open, safe);
    }
    if (open <= found.at && open != kNone)
      return {open, std::nullopt};
    return found;
  }

  /// Whether something was done.
  bool step(bool last) {
    if (call)
      return readCall(last);
    if (behindCall)
      return readBehindCall(last);
    return readText(last);
  }

  bool readText(bool last) {
    if (buffer.empty())
      return false;
    if (const auto tried = tryBare(last))
      return *tried;
    const Found found = find(last);
    const std::size_t length = std::min(found.at, buffer.size());
    plain(std::string_view(buffer).substr(0, length));
    buffer.erase(0, length);
    if (!found.marker)
      return false;
    enter(*found.marker);
    return true;
  }

  /// Formats without a marker: the answer itself may be a call, when it begins like one.
  std::optional<bool> tryBare(bool last) {
    if (!bare || !readsCalls || !atStart || reasoning || tried)
      return std::nullopt;
    const std::string_view left = trimmedLeft(buffer);
    for (const Marker& marker : markers())
      if (const std::size_t used = std::min(left.size(), marker.word.size());
          marker.word.compare(0, used, left.substr(0, used)) == 0) {
        if (used == marker.word.size() || last)
          return std::nullopt;
        return false;
      }
    if (left.empty())
      return last ? std::nullopt : std::optional(false);
    tried = true;
    if (firstKind(*format) == CallPart::Kind::kObject && left.front() != '{')
      return std::nullopt;
    begin("", true);
    return true;
  }

  void enter(const Marker& marker) {
    switch (marker.kind) {
    case MarkerKind::kCall:
      if (bare)
        begin(marker.word == trimmed(format->separator) ? format->separator : format->callPrefix, true);
      else if (marker.word == firstWord(format->callPrefix))
        begin(format->callPrefix, false);
      else
        begin(format->section, false);
      return;
    case MarkerKind::kReasoning:
      reasoning = true;
      break;
    case MarkerKind::kReasoningEnd:
      reasoning = false;
      break;
    case MarkerKind::kContent:
      break;
    }
    buffer.erase(0, marker.word.size());
    space.clear();
    dropSpace = true;
  }

  // ---- calls

  void begin(std::string_view front, bool known) {
    raw = space;
    read = {};
    counted = false;
    call.emplace(*format, tools, front, known);
  }

  /// Passes on what is known of the call.
  void report() {
    if (!read.begun)
      return;
    if (!counted) {
      counted = true;
      space.clear();
      raw.clear();
      Delta delta{Delta::Kind::kCallBegin, "", count++};
      delta.id = isUsableId(read.id, format->idLength) ? read.id : madeId(format->idLength);
      delta.name = read.name;
      out.push_back(std::move(delta));
    }
    if (read.arguments.empty())
      return;
    if (out.empty() || out.back().kind != Delta::Kind::kCallArguments)
      out.push_back({Delta::Kind::kCallArguments, "", count - 1});
    out.back().text += read.arguments;
    read.arguments.clear();
  }

  bool readCall(bool last) {
    const std::string before = read.begun ? std::string() : buffer;
    const bool begun = read.begun;
    const Progress progress = call->read(buffer, last, read);
    if (!begun)
      raw.append(before, 0, before.size() - buffer.size());
    report();
    if (progress == Progress::kMore && !last)
      return false;
    call.reset();
    if (read.begun) {
      atStart = false;
      behindCall = progress == Progress::kDone || last;
      dropSpace = true;
      return true;
    }
    giveUp();
    return true;
  }

  /// No call after all: its first character is content, and the rest is read again.
  void giveUp() {
    buffer = raw.substr(space.size()) + buffer;
    raw.clear();
    std::size_t length = std::max<std::size_t>(1, buffer.size() - trimmedLeft(buffer).size() + 1);
    while (length < buffer.size() && (static_cast<unsigned char>(buffer[length]) & 0xc0) == 0x80) ++length;
    length = std::min(length, buffer.size());
    plain(std::string_view(buffer).substr(0, length));
    buffer.erase(0, length);
  }

  bool startsCall(std::string_view left) const {
    if (left.empty())
      return false;
    if (firstKind(*format) == CallPart::Kind::kObject)
      return left.front() == '{';
    return std::string_view("<>[]{}()=:,|\"'\\`").find(left.front()) == kNone;
  }

  /// Between calls, and behind the last.
  bool readBehindCall(bool last) {
    const std::string_view left = trimmedLeft(buffer);
    if (left.empty() && !last)
      return false;
    const std::string_view end = trimmed(format->sectionEnd);
    std::size_t used = 0;
    if (!end.empty()) {
      const std::size_t same = std::min(left.size(), end.size());
      if (left.substr(0, same) == end.substr(0, same) && (same == end.size() || last)) {
        leave(buffer.size() - left.size() + same);
        return true;
      }
      if (same == left.size() && left == end.substr(0, same))
        return false;
    }
    const std::string next = format->separator + firstText(*format);
    const Match match = matchMarker(buffer, next, last, used);
    if (match == Match::kPartial && !trimmed(next).empty())
      return false;
    const bool marked = !trimmed(next).empty();
    const bool again = match == Match::kYes && (marked ? !bare || !trimmed(format->separator).empty()
                                                       : !trimmed(format->section).empty() && startsCall(left));
    behindCall = false;
    if (again) {
      space.clear();
      begin(format->separator, bare && trimmed(format->section).empty());
    } else {
      leave(0);
    }
    return true;
  }

  void leave(std::size_t used) {
    buffer.erase(0, used);
    behindCall = false;
    dropSpace = true;
    space.clear();
  }

  std::vector<Delta> taken(bool last) {
    while (step(last)) {
    }
    if (last) {
      plain(buffer);
      buffer.clear();
      if (!reasoning && count == 0)
        text(Delta::Kind::kContent, space);
      space.clear();
    }
    return std::exchange(out, {});
  }

  std::shared_ptr<const FormatRecord> format;
  std::vector<ChatTool> tools;
  bool reasoning, separated, readsCalls = false, bare = false, tried = false;
  bool atStart = true;    ///< no content yet
  bool dropSpace = false; ///< white space that follows belongs to a marker
  bool behindCall = false, counted = false;
  std::string opening, buffer, space;
  std::string raw; ///< what was taken of a call that has not begun, and the white space in front of it
  std::optional<CallReader> call;
  ReadCall read;
  std::size_t count = 0;
  std::vector<Delta> out;
};

AnswerParser::AnswerParser(const ChatPrompt& prompt) : state(std::make_unique<State>(prompt)) {}
AnswerParser::AnswerParser(AnswerParser&&) noexcept = default;
AnswerParser& AnswerParser::operator=(AnswerParser&&) noexcept = default;
AnswerParser::~AnswerParser() = default;

std::vector<Delta> AnswerParser::push(std::string_view text) {
  state->buffer += text;
  return state->taken(false);
}

std::vector<Delta> AnswerParser::finish() {
  return state->taken(true);
}

std::size_t AnswerParser::calls() const {
  return state->count;
}

Json parsedMessage(const ChatPrompt& prompt, std::string_view answer) {
  AnswerParser parser(prompt);
  std::string content, reasoning;
  Json calls = Json::array();
  const auto add = [&](const std::vector<Delta>& deltas) {
    for (const Delta& delta : deltas) {
      switch (delta.kind) {
      case Delta::Kind::kContent:
        content += delta.text;
        break;
      case Delta::Kind::kReasoning:
        reasoning += delta.text;
        break;
      case Delta::Kind::kCallBegin:
        calls.push_back(
            {{"id", delta.id}, {"type", "function"}, {"function", {{"name", delta.name}, {"arguments", ""}}}});
        break;
      case Delta::Kind::kCallArguments:
        calls.back()["function"]["arguments"].get_ref<std::string&>() += delta.text;
        break;
      }
    }
  };
  add(parser.push(answer));
  add(parser.finish());
  Json message = {{"role", "assistant"}, {"content", content.empty() && !calls.empty() ? Json() : Json(content)}};
  if (!reasoning.empty())
    message["reasoning_content"] = reasoning;
  if (!calls.empty())
    message["tool_calls"] = std::move(calls);
  return message;
}

} // namespace llcuda::server
