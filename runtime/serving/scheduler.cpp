// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/scheduler.h"

#include <algorithm>
#include <utility>

namespace llcuda::serving {
namespace {

using Clock = std::chrono::steady_clock;

/// Of the KV pools of a plan for `context` positions.
double bytesOfPosition(const MemoryPlan& plan, uint32_t context) {
  return static_cast<double>(plan.kv) / plan.slots / context;
}

/// Whether tokens of one engine are those of the other.
Result<void> checkDraft(const Engine& engine, const text::Tokenizer* tokenizer, const Engine& draft,
                        const text::Tokenizer* ofDraft) {
  if (tokenizer && ofDraft)
    return checkDraftVocabulary(*tokenizer, *ofDraft);
  if (tokenizer || ofDraft)
    return unsupported("the ", tokenizer ? "draft engine" : "engine", " has no tokenizer and the ",
                       tokenizer ? "model's" : "draft", " has one: nothing says that they mean the same tokens");
  if (engine.model().vocabulary() != draft.model().vocabulary())
    return unsupported("the draft engine has ", draft.model().vocabulary(), " tokens, the model's ",
                       engine.model().vocabulary());
  return {};
}

} // namespace

Result<SchedulerOptions> checkedOptions(const Engine& engine, SchedulerOptions options) {
  const uint32_t context = engine.metadata().max_context(), slots = engine.metadata().max_batch();
  if (options.context > context)
    return usageError("a context of ", options.context, " positions was asked for, the engine has ", context,
                      "; compile it with -c ", options.context);
  if (options.slots > slots)
    return usageError(options.slots, " requests at a time were asked for, the engine decodes ", slots,
                      "; compile it with --max-batch ", options.slots);
  const bool speculates = options.speculation.kind != Speculation::kNone || options.draft.program;
  if (speculates && slots == 1)
    return usageError("speculation needs a step of several rows, and the engine decodes one; compile it with "
                      "--max-batch ",
                      kAlikeRows);
  if (options.context == 0)
    options.context = context;
  if (options.slots == 0)
    options.slots = slots;
  return options;
}

Scheduler::Scheduler(std::shared_ptr<const Program> program, TextRules text, SchedulerOptions options)
    : text(text), options(options), clock(program->device().context) {}

Result<std::unique_ptr<Scheduler>> Scheduler::create(std::shared_ptr<const Program> program, TextRules text,
                                                     SchedulerOptions options) {
  LLCUDA_ASSIGN_OR_RETURN(options, checkedOptions(program->engine(), options));
  std::unique_ptr<Scheduler> scheduler(new Scheduler(program, text, options));
  LLCUDA_RETURN_IF_ERROR(scheduler->start(std::move(program)));
  return scheduler;
}

/// The draft engine, with a cache for as many positions as the scheduler's own has: of what is there each has its
/// share.
Result<void> Scheduler::startDraft(const Program& program, bool measures) {
  const Engine &engine = program.engine(), &guesser = options.draft.program->engine();
  LLCUDA_RETURN_IF_ERROR(checkDraft(engine, text.tokenizer, guesser, options.draft.tokenizer));
  DraftModelOptions wanted;
  wanted.context = std::min(options.context, guesser.metadata().max_context());
  wanted.slots = std::min(options.slots, guesser.metadata().max_batch());
  wanted.graphs = options.graphs;
  wanted.costs = options.speculation.draftCosts;
  const MemoryPlan own = llcuda::memoryPlan(engine, options.context, options.slots);
  const MemoryPlan other = llcuda::memoryPlan(guesser, wanted.context, wanted.slots);
  const double ofOwn = bytesOfPosition(own, options.context), ofOther = bytesOfPosition(other, wanted.context);
  const auto part = [](uint64_t bytes, double share) {
    return static_cast<uint64_t>(static_cast<double>(bytes) * share);
  };
  if (options.cacheBytes != 0) {
    wanted.cacheBytes = std::min(other.kv, part(options.cacheBytes, ofOther / ofOwn));
  } else { // the weights are there already
    LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo memory, program.device().context->memoryInfo());
    const uint64_t both = cacheBudget(own, memory.freeBytes + own.shared()), fixed = other.perSession() - other.kv;
    const uint64_t budget = both - std::min(both, fixed);
    wanted.cacheBytes = std::min(other.kv, part(budget, ofOther / (ofOwn + ofOther)));
    options.cacheBytes = std::max<uint64_t>(budget - wanted.cacheBytes, 1);
  }
  LLCUDA_ASSIGN_OR_RETURN(draft, DraftModel::create(options.draft.program, engine.model().vocabulary(), wanted));
  return measures ? draft->measure() : Result<void>();
}

Result<void> Scheduler::start(std::shared_ptr<const Program> program) {
  LLCUDA_RETURN_IF_ERROR(events.open());
  const bool measures = options.measures.value_or(!program->device().onHost());
  if (options.draft.program)
    LLCUDA_RETURN_IF_ERROR(startDraft(*program, measures));
  Execution execution;
  execution.graphs = options.graphs;
  execution.capture = Capture::kAtStart;
  execution.cacheBytes = options.cacheBytes;
  execution.clock = &clock;
  if (execution.cacheBytes == 0) {
    // The weights are there already.
    const MemoryPlan plan = llcuda::memoryPlan(program->engine(), options.context, options.slots);
    LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo memory, program->device().context->memoryInfo());
    execution.cacheBytes = cacheBudget(plan, memory.freeBytes + plan.shared());
  }
  LLCUDA_ASSIGN_OR_RETURN(session,
                          Session::create(std::move(program), options.context, options.slots, std::move(execution)));
  if ((options.speculation.kind != Speculation::kNone || draft) && session->slots().hasState())
    return unsupported("the model has recurrent states, which cannot go back: it is decoded without speculation");
  const LoopOptions wanted = {options.planner, options.hostCacheBytes, options.prefixCache, options.fair,
                              options.masks,   options.speculation,    draft.get()};
  loop = std::make_unique<EngineLoop>(*session, clock, text, wanted, events);
  if (measures)
    LLCUDA_RETURN_IF_ERROR(loop->measure());
  loop->noteSleep();
  published = loop->stats();
  thread = std::thread([this] { run(); });
  return {};
}

Scheduler::~Scheduler() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  wake.notify_one();
  if (thread.joinable())
    thread.join();
  loop.reset(); // before its sessions
}

Result<void> Scheduler::check(const RequestOptions& request) const {
  const auto vocabulary = static_cast<int32_t>(session->program().engine().model().vocabulary());
  if (request.tokens.empty())
    return usageError("there is nothing to continue: the prompt has no tokens");
  if (request.tokens.size() > context())
    return usageError("the prompt of ", request.tokens.size(), " tokens exceeds the available context size of ",
                      context(), " positions");
  for (std::size_t i = 0; i < request.tokens.size(); ++i)
    if (request.tokens[i] < 0 || request.tokens[i] >= vocabulary)
      return usageError("token ", i, " is ", request.tokens[i], ", the vocabulary has ", vocabulary);
  if (request.task == Task::kGenerate)
    LLCUDA_RETURN_IF_ERROR(session->program().engine().checkGenerates());
  if (request.maxTokens < -1)
    return usageError("max_tokens is ", request.maxTokens, ", allowed are -1 and more");
  if (request.logprobs < -1)
    return usageError("logprobs is ", request.logprobs, ", allowed are -1 and more");
  if (request.postSampling && request.logprobs > kReportedCandidates)
    return usageError("logprobs is ", request.logprobs, ", allowed are -1 to ", kReportedCandidates,
                      " with post_sampling_probs");
  if (request.postSampling && !session->hasMasks())
    return unsupported("post_sampling_probs needs an engine whose sampler has stages");
  if (request.promptLogprobs < -1 || request.promptLogprobs > kTopTokens)
    return usageError("prompt_logprobs is ", request.promptLogprobs, ", allowed are -1 to ", kTopTokens);
  if (request.task == Task::kEmbed && (request.promptLogprobs >= 0 || request.logprobs >= 0))
    return usageError("an embedding has no log-probabilities: leave out logprobs and prompt_logprobs");
  if (!request.stops.empty() && !text.tokenizer)
    return unsupported("stop strings need text, and the engine has no tokenizer");
  for (std::size_t i = 0; i < request.stops.size(); ++i)
    if (request.stops[i].empty())
      return usageError("stop string ", i, " is empty");
  if (!request.grammar && !request.triggers.empty())
    return usageError("there are triggers of a grammar and no grammar");
  for (std::size_t i = 0; i < request.triggers.size(); ++i)
    if (request.triggers[i].empty())
      return usageError("grammar trigger ", i, " is empty");
  if (request.reasoning && (!text.tokenizer || !session->hasMasks()))
    return unsupported("a budget of reasoning needs an engine with a tokenizer and a sampler with masks");
  if (request.reasoning && (request.reasoning->end.empty() || request.reasoning->closing.empty()))
    return usageError("the text that ends reasoning is empty");
  if (request.grammar && (!text.tokenizer || !session->hasMasks()))
    return unsupported("a grammar needs an engine with a tokenizer and a sampler with masks");
  return {};
}

Result<uint64_t> Scheduler::submit(RequestOptions request) {
  LLCUDA_RETURN_IF_ERROR(check(request));
  uint64_t id = 0;
  {
    const std::lock_guard lock(mutex);
    if (draining)
      return makeError(ErrorCode::kBusy, "no more requests are accepted: what runs is being finished");
    // Those that find a slot at once do not wait.
    const uint32_t running = published.prompts + published.generating + published.paused;
    const uint32_t room = options.queue + slots() - std::min(running, slots());
    if (published.waiting + submitted >= room)
      return makeError(ErrorCode::kBusy, published.waiting + submitted, " requests wait, no more may");
    id = ++lastId;
    inbox.emplace_back(Submitted{id, std::move(request), Clock::now()});
    ++submitted;
    isIdle = false;
  }
  wake.notify_one();
  return id;
}

void Scheduler::cancel(uint64_t request) {
  {
    const std::lock_guard lock(mutex);
    inbox.emplace_back(Cancelled{request});
  }
  wake.notify_one();
}

void Scheduler::hold(uint64_t request, bool isHeld) {
  {
    const std::lock_guard lock(mutex);
    inbox.emplace_back(Held{request, isHeld});
  }
  wake.notify_one();
}

Stats Scheduler::stats() const {
  const std::lock_guard lock(mutex);
  Stats stats = published;
  stats.waiting += submitted;
  return stats;
}

Result<void> Scheduler::drain(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex);
  draining = true;
  const auto ended = [this] { return isIdle; };
  if (timeout < timeout.zero()) {
    idle.wait(lock, ended);
    return {};
  }
  if (idle.wait_for(lock, timeout, ended))
    return {};
  const uint32_t left = published.waiting + published.prompts + published.generating + published.paused + submitted;
  inbox.emplace_back(Cancelled{std::nullopt});
  wake.notify_one();
  idle.wait(lock, ended);
  return makeError(ErrorCode::kCancelled, left, " requests were cut off");
}

Result<void> Scheduler::obey(Command& command) {
  if (auto* request = std::get_if<Submitted>(&command))
    return loop->submit(request->id, std::move(request->options), request->arrival);
  if (const auto* cancelled = std::get_if<Cancelled>(&command))
    return loop->cancel(cancelled->id);
  const auto& held = std::get<Held>(command);
  return loop->hold(held.id, held.isHeld);
}

Result<void> Scheduler::work(std::vector<Command> commands, bool isBroken) {
  Result<void> result;
  for (Command& command : commands) { // all of them: what was accepted has to end
    Result<void> done = obey(command);
    if (result && !done)
      result = std::move(done);
  }
  return !result || isBroken || loop->isIdle() ? result : loop->step();
}

void Scheduler::run() {
  std::optional<Error> broken;
  for (std::unique_lock lock(mutex); !stopping;) {
    isIdle = loop->isIdle() && inbox.empty();
    if (isIdle)
      idle.notify_all();
    if (isIdle || (loop->isStalled() && inbox.empty())) {
      loop->noteSleep();
      wake.wait(lock, [this] { return stopping || !inbox.empty(); });
      continue;
    }
    std::vector<Command> commands = std::exchange(inbox, {});
    published.waiting += std::exchange(submitted, 0); // until the loop says so itself
    lock.unlock();
    if (const Result<void> worked = work(std::move(commands), broken.has_value()); !worked && !broken)
      broken = worked.error();
    if (broken)
      loop->failAll(*broken);
    const Stats stats = loop->stats();
    lock.lock();
    published = stats;
    loop->sayEnded();
  }
}

} // namespace llcuda::serving
