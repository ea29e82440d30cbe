// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/service.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace llcuda::server {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) * 1e-9;
}

bool isLast(const llcuda_event& event) {
  return event.kind == LLCUDA_EVENT_DONE || event.kind == LLCUDA_EVENT_FAILED;
}

} // namespace

Service::Service(api::Engine engine, api::Scheduler scheduler, ServiceOptions options)
    : theOptions(std::move(options)), theEngine(std::move(engine)), scheduler(std::move(scheduler)),
      engineInfo(theEngine.info()) {
  if (theOptions.defaults.maxTokens < 0)
    theOptions.defaults.maxTokens = theOptions.mostTokens;
  const llcuda_scheduler_stats stats = this->scheduler.stats();
  theSlots = stats.slots;
  theContext = stats.context;
  for (int32_t token = 0; token < static_cast<int32_t>(engineInfo.vocabulary); ++token)
    if (theEngine.isStopToken(token))
      theStopTokens.push_back(token);
  if (auto found = ChatFormat::find(templateOf(theEngine)))
    format.emplace(std::move(*found));
  else
    formatFault = "the model has no chat template that can be used: " + found.error().message;
  thread = std::thread([this] { pump(); });
}

Service::~Service() {
  stopping = true;
  thread.join();
}

Checked<Service::Ticket> Service::submit(api::Request request, std::shared_ptr<EventSink> sink, std::size_t index) {
  if (draining)
    return ApiError{.status = 503, .message = "the server is stopping", .retryAfter = 10};
  if (request.tokens.size() > theContext)
    return contextError(request.tokens.size(), theContext);
  Ticket ticket = 0;
  {
    const std::lock_guard lock(mutex);
    ticket = ++lastTicket;
    Entry entry{std::move(sink), index};
    entry.state.promptTokens = request.tokens.size();
    entry.state.maxTokens = request.maxTokens;
    entries.emplace(ticket, std::move(entry));
  }
  // The events find their entry by the ticket, so they may come before this call returns.
  request.user = reinterpret_cast<void*>(ticket);
  const auto number = scheduler.submit(request);
  const std::lock_guard lock(mutex);
  if (!number) {
    entries.erase(ticket);
    ApiError error = errorOf(number.error());
    if (error.status == 429)
      error.retryAfter = retryAfter();
    return error;
  }
  ++sums.requests;
  if (const auto found = entries.find(ticket); found != entries.end()) {
    found->second.number = *number;
    if (found->second.isCancelled)
      scheduler.cancel(*number);
  }
  return ticket;
}

void Service::cancel(Ticket ticket) {
  const std::lock_guard lock(mutex);
  const auto found = entries.find(ticket);
  if (found == entries.end())
    return;
  found->second.isCancelled = true;
  if (found->second.number != 0)
    scheduler.cancel(found->second.number);
}

void Service::hold(Ticket ticket, bool on) {
  const std::lock_guard lock(mutex);
  const auto found = entries.find(ticket);
  if (found != entries.end() && found->second.number != 0)
    scheduler.hold(found->second.number, on);
}

void Service::drain(std::chrono::milliseconds patience) {
  draining = true;
  scheduler.drain(static_cast<int32_t>(patience.count())); // what is left is cancelled: its sinks are told
  const auto enough = Clock::now() + std::chrono::seconds(2);
  while (Clock::now() < enough) {
    {
      const std::lock_guard lock(mutex);
      if (entries.empty())
        return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Totals Service::totals() const {
  const std::lock_guard lock(mutex);
  return sums;
}

std::vector<ActiveRequest> Service::active() const {
  const std::lock_guard lock(mutex);
  std::vector<ActiveRequest> result;
  for (const auto& [ticket, entry] : entries) result.push_back(entry.state);
  return result;
}

void Service::countUnknown(const std::vector<std::string>& names) {
  std::vector<std::string> fresh;
  {
    constexpr std::size_t kMostNames = 1000; // a client that makes up names fills no memory
    const std::lock_guard lock(mutex);
    sums.unknownFields += names.size();
    for (const std::string& name : names)
      if (unknownFields.size() < kMostNames && unknownFields.insert(name).second)
        fresh.push_back(name);
  }
  if (theOptions.onUnknownField)
    for (const std::string& name : fresh) theOptions.onUnknownField(name);
}

void Service::pump() {
  constexpr std::size_t kEvents = 256;
  constexpr int32_t kTimeoutMs = 50;
  while (!stopping) {
    const std::vector<llcuda_event> events = scheduler.poll(kEvents, kTimeoutMs);
    for (const llcuda_event& event : events) handle(event);
    if (events.empty() || std::ranges::any_of(events, isLast))
      tellOfRoom();
  }
}

void Service::whenRoom(std::function<void()> call) {
  const std::lock_guard lock(mutex);
  waitingForRoom.push_back(std::move(call));
}

/// Who finds none asks again.
void Service::tellOfRoom() {
  std::vector<std::function<void()>> calls;
  {
    const std::lock_guard lock(mutex);
    calls.swap(waitingForRoom);
  }
  for (const std::function<void()>& call : calls) call();
}

void Service::handle(const llcuda_event& event) {
  const auto ticket = reinterpret_cast<Ticket>(event.user);
  std::shared_ptr<EventSink> sink;
  std::size_t index = 0;
  {
    const std::lock_guard lock(mutex);
    const auto found = entries.find(ticket);
    if (found == entries.end())
      return;
    follow(found->second, event);
    sink = found->second.sink;
    index = found->second.index;
    if (isLast(event))
      entries.erase(found);
  }
  sink->onEvent(index, event);
}

void Service::follow(Entry& entry, const llcuda_event& event) {
  const Clock::time_point time = Clock::now();
  ActiveRequest& state = entry.state;
  switch (event.kind) {
  case LLCUDA_EVENT_STARTED:
    state.slot = freeSlot();
    state.isRunning = true;
    state.cachedTokens = state.computedTokens = event.cached_tokens;
    break;
  case LLCUDA_EVENT_PROGRESS:
    state.computedTokens = event.computed;
    break;
  case LLCUDA_EVENT_TOKEN:
    if (event.token < 0)
      break;
    state.computedTokens = state.promptTokens;
    if (state.generated++ > 0)
      sums.betweenTokens.add(std::chrono::duration<double>(time - entry.lastToken).count());
    entry.lastToken = time;
    break;
  case LLCUDA_EVENT_DONE:
  case LLCUDA_EVENT_FAILED:
    sums.generatedTokens += event.generated_tokens;
    sums.mostTokens = std::max<uint64_t>(sums.mostTokens, event.prompt_tokens + event.generated_tokens);
    sums.waiting.add(seconds(event.wait_ns));
    sums.wholeRequest.add(seconds(event.total_ns));
    if (event.first_token_ns == 0)
      break;
    sums.promptTokens += event.prompt_tokens;
    sums.cachedTokens += event.cached_tokens;
    sums.firstToken.add(seconds(event.first_token_ns));
    sums.promptSeconds += seconds(event.first_token_ns - event.wait_ns);
    sums.generatedSeconds += seconds(event.total_ns - event.first_token_ns);
    sums.generatedSteps += event.generated_tokens - std::min<uint64_t>(event.generated_tokens, 1);
    break;
  default:
    break;
  }
}

/// The lowest number that no running request has. Callers hold the mutex.
uint32_t Service::freeSlot() const {
  std::vector<bool> taken(theSlots + 1, false);
  for (const auto& [ticket, entry] : entries)
    if (entry.state.isRunning)
      taken[std::min(entry.state.slot, theSlots)] = true;
  return static_cast<uint32_t>(std::ranges::find(taken, false) - taken.begin());
}

/// Seconds until as many requests ended as run at a time, by what they took so far. Callers hold the mutex.
int Service::retryAfter() const {
  const double mean =
      sums.wholeRequest.count == 0 ? 1 : sums.wholeRequest.sum / static_cast<double>(sums.wholeRequest.count);
  return static_cast<int>(std::clamp(std::ceil(mean), 1., 60.));
}

} // namespace llcuda::server
