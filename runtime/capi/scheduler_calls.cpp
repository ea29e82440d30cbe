// SPDX-License-Identifier: Apache-2.0
// llcuda_scheduler_*, llcuda_request_*.
#include <future>
#include <string_view>

#include "runtime/capi/boundary.h"
#include "runtime/capi/engine_state.h"
#include "runtime/capi/sampler.h"
#include "runtime/serving/ngram_lookup.h"
#include "runtime/serving/scheduler.h"

using namespace llcuda;
using namespace llcuda::capi;

struct llcuda_scheduler {
  std::shared_ptr<EngineState> engine; // has the tokenizer
  std::unique_ptr<serving::Scheduler> scheduler;
};

namespace {

using serving::EventKind;

static_assert(static_cast<int>(EventKind::kStarted) == LLCUDA_EVENT_STARTED &&
              static_cast<int>(EventKind::kProgress) == LLCUDA_EVENT_PROGRESS &&
              static_cast<int>(EventKind::kToken) == LLCUDA_EVENT_TOKEN &&
              static_cast<int>(EventKind::kDone) == LLCUDA_EVENT_DONE &&
              static_cast<int>(EventKind::kFailed) == LLCUDA_EVENT_FAILED &&
              static_cast<int>(EventKind::kPromptToken) == LLCUDA_EVENT_PROMPT_TOKEN &&
              static_cast<int>(EventKind::kEmbedding) == LLCUDA_EVENT_EMBEDDING);
static_assert(static_cast<int>(serving::Task::kGenerate) == LLCUDA_TASK_GENERATE &&
              static_cast<int>(serving::Task::kEmbed) == LLCUDA_TASK_EMBED);
static_assert(static_cast<int>(serving::Pooling::kDefault) == LLCUDA_POOLING_DEFAULT &&
              static_cast<int>(serving::Pooling::kMean) == LLCUDA_POOLING_MEAN &&
              static_cast<int>(serving::Pooling::kLast) == LLCUDA_POOLING_LAST &&
              static_cast<int>(serving::Pooling::kCls) == LLCUDA_POOLING_CLS);
static_assert(static_cast<int>(serving::Speculation::kNone) == LLCUDA_SPECULATION_NONE &&
              static_cast<int>(serving::Speculation::kNgram) == LLCUDA_SPECULATION_NGRAM);
static_assert(static_cast<int>(StopReason::kString) == LLCUDA_STOP_STRING);

constexpr uint32_t kMostMaskWorkers = 64;
constexpr uint32_t kMostDraft = 63;

llcuda_scheduler_options defaultSchedulerOptions() {
  llcuda_scheduler_options options = {};
  options.struct_bytes = sizeof(options);
  options.host_cache_bytes = uint64_t{1} << 30;
  options.queue = 256;
  options.prefix_cache = 1;
  return options;
}

llcuda_request defaultRequest() {
  llcuda_request request = {};
  request.struct_bytes = sizeof(request);
  request.max_tokens = -1;
  request.logprobs = request.prompt_logprobs = request.reasoning_budget = -1;
  return request;
}

Result<serving::SpeculationOptions> speculationOf(const llcuda_scheduler_options& given) {
  if (given.speculation < LLCUDA_SPECULATION_NONE || given.speculation > LLCUDA_SPECULATION_NGRAM)
    return usageError("speculation is ", given.speculation, ", which is no llcuda_speculation");
  if (given.draft_max > kMostDraft)
    return usageError("draft_max is ", given.draft_max, ", allowed are 0 to ", kMostDraft);
  if (given.ngram_size > serving::NgramLookup::kLongest)
    return usageError("ngram_size is ", given.ngram_size, ", allowed are 0 to ", serving::NgramLookup::kLongest);
  serving::SpeculationOptions options;
  options.kind = static_cast<serving::Speculation>(given.speculation);
  if (given.draft_max != 0)
    options.most = given.draft_max;
  if (given.ngram_size != 0)
    options.ngram = given.ngram_size;
  if (!(given.draft_p_min >= 0 && given.draft_p_min <= 1))
    return usageError("draft_p_min is ", given.draft_p_min, ", allowed are 0 to 1");
  options.leastSure = given.draft_p_min;
  options.least = given.draft_min;
  if (options.least > options.most)
    return usageError("draft_min is ", options.least, ", more than draft_max, which is ", options.most);
  return options;
}

/// The draft engine on the device of the engine that it guesses for.
Result<serving::DraftEngine> draftOf(const llcuda_scheduler_options& given, const serving::SchedulerOptions& options) {
  serving::DraftEngine draft;
  if (!given.draft_engine)
    return draft;
  EngineState& engine = *given.draft_engine->state;
  const ProgramRequest request{static_cast<DeviceChoice>(given.device), given.device_index, false,
                               std::min(options.context, engine.file().metadata().max_context()), ""};
  LLCUDA_ASSIGN_OR_RETURN(draft.program, engine.program(request, sinkOf(given.log, given.log_user)));
  if (engine.hasTokenizer()) {
    LLCUDA_ASSIGN_OR_RETURN(draft.tokenizer, engine.tokenizer());
  }
  return draft;
}

Result<std::unique_ptr<llcuda_scheduler>> createScheduler(std::shared_ptr<EngineState> engine,
                                                          const llcuda_scheduler_options& given) {
  if (given.device < LLCUDA_DEVICE_AUTO || given.device > LLCUDA_DEVICE_HOST)
    return usageError("device is ", given.device, ", which is no llcuda_device");
  if (!(given.step_target_ms >= 0 && given.step_target_ms <= 1e6f))
    return usageError("step_target_ms is ", given.step_target_ms, ", allowed are 0 to 1e6");
  serving::SchedulerOptions options;
  options.context = given.context;
  options.slots = given.slots;
  options.cacheBytes = given.cache_bytes;
  options.hostCacheBytes = given.host_cache_bytes;
  options.queue = given.queue;
  options.planner.target = given.step_target_ms;
  options.graphs = given.no_graphs == 0;
  if (given.mask_workers > kMostMaskWorkers)
    return usageError("mask_workers is ", given.mask_workers, ", allowed are 0 to ", kMostMaskWorkers);
  options.masks.threads = given.mask_workers;
  LLCUDA_ASSIGN_OR_RETURN(options.speculation, speculationOf(given));
  options.prefixCache = given.prefix_cache != 0;
  options.fair = given.fair != 0;
  LLCUDA_ASSIGN_OR_RETURN(options, serving::checkedOptions(engine->file(), options));
  const ProgramRequest request{static_cast<DeviceChoice>(given.device), given.device_index, false, options.context,
                               given.weights_from ? given.weights_from : ""};
  // The vocabulary is read while the weights are on their way.
  std::future<Result<const text::Tokenizer*>> tokenizer;
  if (engine->hasTokenizer())
    tokenizer = std::async(std::launch::async, [&engine] { return engine->tokenizer(); });
  LLCUDA_ASSIGN_OR_RETURN(auto program, engine->program(request, sinkOf(given.log, given.log_user)));
  LLCUDA_ASSIGN_OR_RETURN(options.draft, draftOf(given, options));
  serving::TextRules text;
  text.config = &engine->textConfig();
  if (tokenizer.valid()) {
    LLCUDA_ASSIGN_OR_RETURN(text.tokenizer, tokenizer.get());
  }
  auto created = std::make_unique<llcuda_scheduler>();
  LLCUDA_ASSIGN_OR_RETURN(created->scheduler, serving::Scheduler::create(std::move(program), text, options));
  created->engine = std::move(engine);
  return created;
}

Result<void> takeGrammar(const llcuda_request& given, const EngineState& engine, serving::RequestOptions& request) {
  if (!given.grammar_triggers && given.grammar_trigger_count != 0)
    return usageError("grammar_triggers is NULL and grammar_trigger_count is ", given.grammar_trigger_count);
  for (std::size_t i = 0; i < given.grammar_trigger_count; ++i) {
    if (!given.grammar_triggers[i])
      return usageError("grammar_triggers[", i, "] is NULL");
    request.triggers.emplace_back(given.grammar_trigger_bytes
                                      ? std::string_view(given.grammar_triggers[i], given.grammar_trigger_bytes[i])
                                      : std::string_view(given.grammar_triggers[i]));
  }
  if (!given.grammar)
    return {};
  if (given.grammar->engine.lock().get() != &engine)
    return usageError("the grammar was made by another engine");
  request.grammar = given.grammar->grammar;
  return {};
}

Result<void> takeReasoning(const llcuda_request& given, EngineState& engine, serving::RequestOptions& request) {
  if (given.reasoning_budget < -1)
    return usageError("reasoning_budget is ", given.reasoning_budget, ", allowed are -1 and more");
  if (given.reasoning_budget < 0)
    return {};
  const auto textOf = [](const char* text) { return std::string(text ? text : ""); };
  serving::ReasoningLimit limit = {
      static_cast<uint32_t>(given.reasoning_budget), textOf(given.reasoning_start), textOf(given.reasoning_end), {}};
  if (limit.end.empty())
    return usageError("reasoning_budget is ", given.reasoning_budget, " and reasoning_end is not given");
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokenizer, engine.tokenizer());
  LLCUDA_ASSIGN_OR_RETURN(limit.closing, tokenizer->encode(textOf(given.reasoning_message) + limit.end,
                                                           {.addSpecial = false, .parseSpecial = true}));
  request.reasoning = std::move(limit);
  request.sampling.chain = 1; // masks are of chains
  return {};
}

Result<serving::RequestOptions> requestOf(const llcuda_request& given, EngineState& engine) {
  if (!given.tokens && given.count != 0)
    return usageError("tokens is NULL");
  if (!given.stop && given.stop_count != 0)
    return usageError("stop is NULL and stop_count is ", given.stop_count);
  serving::RequestOptions request;
  request.tokens.assign(given.tokens, given.tokens + given.count);
  request.maxTokens = given.max_tokens;
  LLCUDA_ASSIGN_OR_RETURN(request.sampler, samplerOf(given.sampler, engine));
  request.sampling = request.sampler.params();
  for (std::size_t i = 0; i < given.stop_count; ++i) {
    if (!given.stop[i])
      return usageError("stop[", i, "] is NULL");
    request.stops.emplace_back(given.stop_bytes ? std::string_view(given.stop[i], given.stop_bytes[i])
                                                : std::string_view(given.stop[i]));
  }
  request.logprobs = given.logprobs;
  request.ignoreStop = given.ignore_stop != 0;
  request.specialText = given.special_text != 0;
  request.priority = given.priority;
  request.cacheSalt = given.cache_salt;
  request.prefixCache = given.no_prefix_cache == 0;
  if (!given.fair_key && given.fair_key_bytes != 0)
    return usageError("fair_key is NULL and fair_key_bytes is ", given.fair_key_bytes);
  if (given.fair_key)
    request.fairKey.assign(given.fair_key, given.fair_key_bytes);
  request.postSampling = given.post_sampling_probs != 0 && given.logprobs >= 0;
  if (request.postSampling) { // chains report, also where they have no stage
    request.sampler.program.reportsTop = 1;
    request.sampling.chain = 1;
  }
  request.promptLogprobs = given.prompt_logprobs;
  if (given.task < LLCUDA_TASK_GENERATE || given.task > LLCUDA_TASK_EMBED)
    return usageError("task is ", given.task, ", which is no llcuda_task");
  if (given.pooling < LLCUDA_POOLING_DEFAULT || given.pooling > LLCUDA_POOLING_CLS)
    return usageError("pooling is ", given.pooling, ", which is no llcuda_pooling");
  request.task = static_cast<serving::Task>(given.task);
  request.pooling = static_cast<serving::Pooling>(given.pooling);
  LLCUDA_RETURN_IF_ERROR(takeGrammar(given, engine, request));
  LLCUDA_RETURN_IF_ERROR(takeReasoning(given, engine, request));
  request.user = given.user;
  return request;
}

/// What the pointers of events point to.
struct Polled {
  std::vector<serving::Event> events;
  std::vector<std::vector<llcuda_candidate>> top;
};

llcuda_event eventOf(const serving::Event& from, const std::vector<llcuda_candidate>& top) {
  llcuda_event event = {};
  event.request = from.request;
  event.user = from.user;
  event.kind = static_cast<int32_t>(from.kind);
  event.seed = from.seed;
  event.computed = from.computed;
  event.total = from.total;
  event.stop_string = -1;
  const auto setTop = [&] {
    event.log_probability = from.logProbability;
    event.top_count = static_cast<uint32_t>(top.size());
    event.top = top.data();
  };
  switch (from.kind) {
  case EventKind::kToken:
    event.token = from.token;
    event.index = from.index;
    event.stops = from.stops;
    setTop();
    break;
  case EventKind::kPromptToken:
    event.token = from.token;
    event.index = from.index;
    setTop();
    break;
  case EventKind::kEmbedding:
    event.values = from.values.data();
    event.value_count = from.values.size();
    break;
  case EventKind::kDone:
    event.stop_reason = static_cast<int32_t>(from.stop);
    event.stop_string = from.stopString;
    break;
  case EventKind::kFailed:
    event.status = static_cast<int32_t>(from.error.code);
    break;
  default:
    break;
  }
  event.text = from.text.data();
  event.text_bytes = from.text.size();
  event.message = from.error.message.c_str();
  event.prompt_tokens = from.metrics.promptTokens;
  event.generated_tokens = from.metrics.generatedTokens;
  event.pauses = from.metrics.pauses;
  event.wait_ns = from.metrics.waitNs;
  event.first_token_ns = from.metrics.firstTokenNs;
  event.total_ns = from.metrics.totalNs;
  event.cached_tokens = from.kind == EventKind::kStarted ? from.cachedTokens : from.metrics.cachedTokens;
  event.draft_tokens = from.metrics.draftTokens;
  event.accepted_draft_tokens = from.metrics.acceptedDraftTokens;
  return event;
}

} // namespace

void llcuda_scheduler_options_init(llcuda_scheduler_options* options) {
  *options = defaultSchedulerOptions();
}

void llcuda_request_init(llcuda_request* request) {
  *request = defaultRequest();
}

llcuda_status llcuda_scheduler_create(llcuda_engine* engine, const llcuda_scheduler_options* options,
                                      llcuda_scheduler** scheduler, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    if (!engine || !scheduler)
      return usageError("engine or scheduler is NULL");
    LLCUDA_ASSIGN_OR_RETURN(const auto wanted, optionsOf(options, defaultSchedulerOptions()));
    LLCUDA_ASSIGN_OR_RETURN(auto created, createScheduler(engine->state, wanted));
    *scheduler = created.release();
    return {};
  });
}

void llcuda_scheduler_destroy(llcuda_scheduler* scheduler) {
  delete scheduler;
}

llcuda_status llcuda_scheduler_submit(llcuda_scheduler* scheduler, const llcuda_request* request, uint64_t* number,
                                      llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    if (!scheduler || !request || !number)
      return usageError("scheduler, request or number is NULL");
    LLCUDA_ASSIGN_OR_RETURN(const auto given, optionsOf(request, defaultRequest()));
    LLCUDA_ASSIGN_OR_RETURN(auto wanted, requestOf(given, *scheduler->engine));
    LLCUDA_ASSIGN_OR_RETURN(*number, scheduler->scheduler->submit(std::move(wanted)));
    return {};
  });
}

void llcuda_scheduler_cancel(llcuda_scheduler* scheduler, uint64_t number) {
  scheduler->scheduler->cancel(number);
}

void llcuda_scheduler_hold(llcuda_scheduler* scheduler, uint64_t number, int32_t on) {
  scheduler->scheduler->hold(number, on != 0);
}

size_t llcuda_scheduler_poll(llcuda_scheduler* scheduler, llcuda_event* events, size_t capacity, int32_t timeout_ms) {
  static thread_local Polled polled;
  if (!events || capacity == 0 || events->struct_bytes < sizeof(events->struct_bytes))
    return 0;
  const std::size_t stride = events->struct_bytes;
  polled.events = scheduler->scheduler->poll(capacity, std::chrono::milliseconds(timeout_ms));
  polled.top.clear();
  for (std::size_t i = 0; i < polled.events.size(); ++i) {
    std::vector<llcuda_candidate>& top = polled.top.emplace_back();
    for (const Candidate& candidate : polled.events[i].top) top.push_back({candidate.token, candidate.logProbability});
    auto* to = reinterpret_cast<llcuda_event*>(reinterpret_cast<std::byte*>(events) + i * stride);
    to->struct_bytes = stride;
    handOut(eventOf(polled.events[i], top), to);
  }
  return polled.events.size();
}

int llcuda_scheduler_fd(const llcuda_scheduler* scheduler) {
  return scheduler->scheduler->fd();
}

void llcuda_scheduler_get_stats(const llcuda_scheduler* scheduler, llcuda_scheduler_stats* stats) {
  const serving::Stats now = scheduler->scheduler->stats();
  llcuda_scheduler_stats filled = {};
  filled.slots = scheduler->scheduler->slots();
  filled.context = scheduler->scheduler->context();
  filled.waiting = now.waiting;
  filled.prompts = now.prompts;
  filled.generating = now.generating;
  filled.paused = now.paused;
  filled.pages = now.pages;
  filled.free_pages = now.freePages;
  filled.host_bytes = now.hostBytes;
  filled.steps = now.steps;
  filled.prompt_runs = now.promptRuns;
  filled.prompt_tokens = now.promptTokens;
  filled.generated_tokens = now.generatedTokens;
  filled.rows = now.rows;
  filled.pauses = now.pauses;
  filled.recomputed = now.recomputed;
  filled.done = now.done;
  filled.failed = now.failed;
  filled.cancelled = now.cancelled;
  filled.busy_ns = now.busyNs;
  filled.idle_ns = now.idleNs;
  filled.cached_pages = now.cachedPages;
  filled.host_pages = now.hostPages;
  filled.cached_tokens = now.cachedTokens;
  filled.held_rows = now.heldRows;
  filled.mask_ns = now.maskNs;
  filled.host_stall_ns = now.hostStallNs;
  filled.drafts = now.drafts;
  filled.draft_tokens = now.draftTokens;
  filled.accepted_draft_tokens = now.acceptedDraftTokens;
  filled.nan_rows = now.nanRows;
  handOut(filled, stats);
}

llcuda_status llcuda_scheduler_drain(llcuda_scheduler* scheduler, int32_t timeout_ms, llcuda_error* error) {
  return guarded(error, [&] { return scheduler->scheduler->drain(std::chrono::milliseconds(timeout_ms)); });
}
