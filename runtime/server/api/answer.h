// SPDX-License-Identifier: Apache-2.0
// The answer to one HTTP request that generates: it submits a request for each choice, gathers their events and writes
// them in the form of its endpoint, as a stream or as one body.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "runtime/server/api/answer_parts.h"
#include "runtime/server/api/service.h"
#include "runtime/server/api/submissions.h"

namespace llcuda::server {

/// What came of one choice since it was last written.
struct Piece {
  std::string text;
  std::vector<ReportedToken> tokens;
  bool empty() const { return text.empty() && tokens.empty(); }
};

struct Choice {
  std::size_t index = 0;
  std::span<const int32_t> prompt; ///< of the answer's prompts
  std::optional<uint64_t> seed;

  std::string text;                        ///< all of it
  std::vector<ReportedToken> tokens;       ///< of the text, kept where something asks for them
  std::vector<ReportedToken> promptTokens; ///< from the second on, where their log-probabilities are asked for
  std::size_t generated = 0;               ///< a stop token among them
  Piece pending;                           ///< not written yet
  bool isDone = false;
  int32_t stopReason = LLCUDA_STOP_NONE;
  std::string stopWord; ///< the stop string that ended it
  Timings timings;
};

class Answer : public EventSink, public std::enable_shared_from_this<Answer> {
public:
  Answer(Service& service, std::shared_ptr<Reply> reply, Params params, std::string idPrefix);

  /// n choices of each prompt, in the order of the prompts, with the seeds seed, seed + 1, ... What is refused is
  /// answered at once.
  void start(std::vector<std::vector<int32_t>> prompts);

  void onEvent(std::size_t index, const llcuda_event& event) override;

protected:
  // The form of an endpoint. In a stream these write; all run under the mutex, in the order of the events.
  virtual void writeProgress(Choice&, const Progress&) {}
  virtual void writePiece(Choice& choice, const Piece& piece) = 0;
  virtual void writeFinish(Choice& choice) = 0;
  virtual void writeEnd() {}
  /// The body where there is no stream.
  virtual Json whole() = 0;
  /// What the scheduler is to know of this form's choices.
  virtual void adjust(api::Request&) const {}
  /// What the answer's text has to be.
  virtual std::optional<ChatGrammar> grammar() const;

  /// One event of the stream.
  void emit(const Json& chunk);
  void emitText(std::string_view line);
  bool wantsTokens() const { return params.returnTokens || reportsTokens || params.verbose; }
  Timings timingsNow(const Choice& choice) const;

  Service& service;
  Params params;
  const std::string id;
  const int64_t created;
  bool reportsTokens = false; ///< log-probabilities are wanted
  std::vector<Choice> choices;

private:
  using Clock = std::chrono::steady_clock;

  void takeToken(Choice& choice, const llcuda_event& event);
  void noteCounts() const;
  void finishChoice(Choice& choice, const llcuda_event& event);
  void progress(Choice& choice, const Progress& progress);
  void flush(Choice& choice);
  void fail(const ApiError& error);
  void submit();
  bool readerIsSlow();
  void hold(bool on);

  std::shared_ptr<Reply> reply;
  mutable std::mutex mutex;
  std::vector<std::string> stops;
  Clock::time_point arrival, begun;
  bool hasBegun = false;    ///< the first event of any choice came
  bool isStreaming = false; ///< the stream's head is out
  bool isOver = false;      ///< nothing more is written
  bool isHeld = false;      ///< the reader is slow: pieces wait
  std::vector<std::vector<int32_t>> prompts;
  Submissions submissions;
};

} // namespace llcuda::server
