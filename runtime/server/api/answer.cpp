// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/answer.h"

#include <algorithm>
#include <ctime>
#include <random>

#include "runtime/server/api/constraint.h"
#include "runtime/server/api/request_of.h"
#include "runtime/server/api/token_text.h"

namespace llcuda::server {
namespace {

std::string_view stopName(int32_t reason) {
  switch (reason) {
  case LLCUDA_STOP_TOKEN:
    return "eos";
  case LLCUDA_STOP_STRING:
    return "word";
  case LLCUDA_STOP_LENGTH:
    return "limit";
  case LLCUDA_STOP_CONTEXT:
    return "context";
  default:
    return "none";
  }
}

double milliseconds(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) * 1e-6;
}

} // namespace

Answer::Answer(Service& service, std::shared_ptr<Reply> reply, Params params, std::string idPrefix)
    : service(service), params(std::move(params)), id(idPrefix + randomId(24)),
      created(static_cast<int64_t>(std::time(nullptr))), reply(std::move(reply)), arrival(Clock::now()),
      submissions(service) {}

void Answer::start(std::vector<std::vector<int32_t>> given) {
  const Checked<api::Request> request = requestOf(params, grammar(), service);
  if (!request)
    return sendError(*reply, request.error());
  api::Request common = *request;
  adjust(common);
  reportsTokens = common.logprobs >= 0;
  stops = common.stop;
  reply->onClose([self = weak_from_this()] {
    if (const auto answer = self.lock())
      answer->submissions.cancelAll();
  });
  if (params.stream)
    reply->onDrained([self = weak_from_this()] {
      if (const auto answer = self.lock()) {
        const std::lock_guard lock(answer->mutex);
        answer->hold(false);
        for (Choice& choice : answer->choices) answer->flush(choice);
        answer->submit();
      }
    });
  const std::lock_guard lock(mutex); // events wait until the first choices are submitted
  prompts = std::move(given);
  const uint64_t seed = params.seed ? *params.seed : std::random_device{}() >> 1; // exact in any client's JSON number
  for (const std::vector<int32_t>& prompt : prompts)
    for (int64_t i = 0; i < params.n; ++i)
      choices.push_back({.index = choices.size(), .prompt = prompt, .seed = seed + static_cast<uint64_t>(i)});
  submissions.begin(choices.size(), [this, common = std::move(common)](std::size_t index) {
    api::Request one = common;
    one.tokens.assign(choices[index].prompt.begin(), choices[index].prompt.end());
    one.sampler->seed = choices[index].seed;
    return one;
  });
  submit();
}

/// Callers hold the mutex.
void Answer::submit() {
  const auto error = submissions.submit(shared_from_this(), [self = shared_from_this()] {
    const std::lock_guard lock(self->mutex);
    self->submit();
  });
  if (error)
    fail(*error);
}

std::optional<ChatGrammar> Answer::grammar() const {
  return constraintOf(params);
}

void Answer::onEvent(std::size_t index, const llcuda_event& event) {
  const std::lock_guard lock(mutex);
  if (isOver)
    return;
  Choice& choice = choices[index];
  if (!hasBegun && event.kind != LLCUDA_EVENT_FAILED) {
    hasBegun = true;
    begun = Clock::now();
  }
  switch (event.kind) {
  case LLCUDA_EVENT_STARTED:
    choice.timings.promptTokens = choice.prompt.size();
    choice.timings.cachedTokens = event.cached_tokens;
    progress(choice, {choice.prompt.size(), choice.timings.cachedTokens, choice.timings.cachedTokens, 0});
    break;
  case LLCUDA_EVENT_PROGRESS:
    choice.timings.promptMs = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
    progress(choice, {event.total, choice.timings.cachedTokens, event.computed, choice.timings.promptMs});
    break;
  case LLCUDA_EVENT_PROMPT_TOKEN:
    choice.promptTokens.push_back(reportedToken(service.engine(), event));
    break;
  case LLCUDA_EVENT_TOKEN:
    takeToken(choice, event);
    break;
  case LLCUDA_EVENT_DONE:
    finishChoice(choice, event);
    break;
  case LLCUDA_EVENT_FAILED:
    fail(failureOf(event));
    break;
  default:
    break;
  }
}

void Answer::takeToken(Choice& choice, const llcuda_event& event) {
  if (event.token >= 0 && choice.generated++ == 0) {
    choice.timings.promptMs = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
    progress(choice,
             {choice.prompt.size(), choice.timings.cachedTokens, choice.prompt.size(), choice.timings.promptMs});
  }
  choice.timings.generated = choice.generated;
  choice.text.append(event.text, event.text_bytes);
  choice.pending.text.append(event.text, event.text_bytes);
  if (event.token >= 0 && event.stops == 0) {
    ReportedToken token = reportedToken(service.engine(), event);
    if (wantsTokens())
      choice.tokens.push_back(token);
    choice.pending.tokens.push_back(std::move(token));
  }
  if (!readerIsSlow())
    flush(choice);
}

void Answer::finishChoice(Choice& choice, const llcuda_event& event) {
  choice.stopReason = event.stop_reason;
  if (event.stop_string >= 0 && static_cast<std::size_t>(event.stop_string) < stops.size())
    choice.stopWord = stops[static_cast<std::size_t>(event.stop_string)];
  choice.generated = event.generated_tokens;
  choice.timings.promptTokens = event.prompt_tokens;
  choice.timings.cachedTokens = event.cached_tokens;
  choice.timings.generated = event.generated_tokens;
  choice.timings.draftTokens = event.draft_tokens;
  choice.timings.acceptedDraftTokens = event.accepted_draft_tokens;
  if (event.first_token_ns > 0) {
    choice.timings.promptMs = milliseconds(event.first_token_ns - std::min(event.wait_ns, event.first_token_ns));
    choice.timings.generatedMs = milliseconds(event.total_ns - std::min(event.first_token_ns, event.total_ns));
  }
  choice.isDone = true;
  // Tokens behind the text: those of a stop string are no part of the answer.
  if (choice.pending.text.empty() && choice.stopReason == LLCUDA_STOP_STRING)
    choice.pending.tokens.clear();
  flush(choice);
  if (params.stream)
    writeFinish(choice);
  submissions.noteEnd(choice.index);
  if (!submissions.haveEnded())
    return submit();
  isOver = true;
  noteCounts();
  if (params.stream) {
    writeEnd();
    reply->end();
  } else {
    reply->send(200, "application/json", dumped(whole()), {queueHeader(arrival, begun)});
  }
}

/// For the log: how much, how fast and why it ended; no text.
void Answer::noteCounts() const {
  Timings sum;
  for (const Choice& choice : choices) sum += choice.timings;
  reply->note("prompt", static_cast<int64_t>(sum.promptTokens));
  reply->note("cached", static_cast<int64_t>(sum.cachedTokens));
  reply->note("generated", static_cast<int64_t>(sum.generated));
  reply->note("queue_ms", std::chrono::duration<double, std::milli>(begun - arrival).count());
  reply->note("first_token_ms", sum.promptMs);
  reply->note("stop", std::string(stopName(choices.front().stopReason)));
}

void Answer::progress(Choice& choice, const Progress& progress) {
  if (params.stream && params.returnProgress)
    writeProgress(choice, progress);
}

/// Writes what waits, as soon as there is text: a token without text waits for the one that completes it.
void Answer::flush(Choice& choice) {
  if (!params.stream || isOver || choice.pending.empty() || (choice.pending.text.empty() && !choice.isDone))
    return;
  const Piece piece = std::exchange(choice.pending, {});
  writePiece(choice, piece);
}

Timings Answer::timingsNow(const Choice& choice) const {
  Timings timings = choice.timings;
  if (!choice.isDone && choice.generated > 0)
    timings.generatedMs =
        std::max(0., std::chrono::duration<double, std::milli>(Clock::now() - begun).count() - timings.promptMs);
  return timings;
}

void Answer::emit(const Json& chunk) {
  emitText("data: " + dumped(chunk) + "\n\n");
}

void Answer::emitText(std::string_view line) {
  if (!isStreaming) {
    isStreaming = true;
    reply->beginStream({queueHeader(arrival, begun)});
  }
  if (!reply->write(line))
    submissions.cancelAll();
}

void Answer::fail(const ApiError& error) {
  if (isOver)
    return;
  isOver = true;
  submissions.cancelAll();
  if (!isStreaming)
    return sendError(*reply, error);
  reply->write("data: " + dumped(errorBody(error)) + "\n\n");
  reply->end();
}

/// Above kHighWater the requests rest, and what still comes of them is joined, until the reply says that it has
/// drained. A client that takes nothing at all is closed by the server.
bool Answer::readerIsSlow() {
  if (params.stream && isStreaming && !isHeld && reply->pending() > Reply::kHighWater)
    hold(true);
  return isHeld;
}

void Answer::hold(bool on) {
  isHeld = on;
  submissions.hold(on);
}

} // namespace llcuda::server
