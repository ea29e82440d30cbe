// SPDX-License-Identifier: Apache-2.0
// The C++20 face of llcuda.h: objects that own, errors as values, nothing thrown. Header only; link libllcuda.
// What a function does, needs and promises stands at its C counterpart.
//
//   auto engine = llcuda::api::Engine::open("model.engine");
//   if (!engine) return engine.error().message;
//   auto session = engine->createSession();
//   session->generateText("The capital of France is", options);
#pragma once

#include <cassert>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "llcuda/llcuda.h"

namespace llcuda::api {

struct Error {
  llcuda_status status = LLCUDA_OK;
  std::string message;
};

/// A T or an Error. Reading the wrong one is a bug of the caller and asserts.
template <typename T>
class [[nodiscard]] Expected {
public:
  Expected(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Expected(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state.index() == 0; }
  T& operator*() { return assert(*this), *std::get_if<0>(&state); }
  const T& operator*() const { return assert(*this), *std::get_if<0>(&state); }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }
  const Error& error() const { return assert(!*this), *std::get_if<1>(&state); }

private:
  std::variant<T, Error> state;
};

struct Message {
  std::string role; ///< "system", "user" or "assistant"
  std::string content;
};

using Log = std::function<void(llcuda_log_level, std::string_view)>;

struct SessionOptions {
  llcuda_device device = LLCUDA_DEVICE_AUTO;
  int deviceIndex = 0;
  uint32_t context = 0; ///< 0: as many positions as the engine allows
  bool guard = false;
  bool graphs = true;
  bool profile = false;    ///< Session::profile() will be asked for
  bool allKernels = false; ///< it is there when every kernel is loaded
  std::string weightsFrom; ///< see llcuda_session_options.weights_from; empty: where they were
  Log log;                 ///< empty: nothing is said
};

/// How tokens are chosen; see llcuda_sampler.
struct Sampler {
  std::string stages = "edskypmxt"; ///< letters of llama.cpp's --sampling-seq
  float temperature = 0.8f;
  float dynatempRange = 0;
  float dynatempExponent = 1;
  int32_t topK = 40;
  float topP = 0.95f;
  float minP = 0.05f;
  float typicalP = 1;
  float topNSigma = -1;
  float xtcProbability = 0;
  float xtcThreshold = 0.1f;
  int32_t repeatLastN = 64;
  float repeatPenalty = 1;
  float frequencyPenalty = 0;
  float presencePenalty = 0;
  float dryMultiplier = 0;
  float dryBase = 1.75f;
  int32_t dryAllowedLength = 2;
  int32_t dryPenaltyLastN = 64;
  std::vector<std::string> drySequenceBreakers = {"\n", ":", "\"", "*"};
  int32_t mirostat = 0;
  float mirostatTau = 5;
  float mirostatEta = 0.1f;
  float adaptiveTarget = -1;
  float adaptiveDecay = 0.9f;
  uint32_t minKeep = 0;
  std::optional<uint64_t> seed; ///< nothing: a random one
  bool ignoreEos = false;
  std::vector<llcuda_logit_bias> logitBias;

  /// The most likely token, always.
  static Sampler greedy() {
    Sampler sampler;
    sampler.temperature = 0;
    return sampler;
  }
};

/// Returns false to end the generation.
using StepCallback = std::function<bool(const llcuda_step&)>;

struct GenerateOptions {
  int32_t maxTokens = -1;
  std::optional<Sampler> sampler; ///< nothing: Engine::defaultSampler()
  bool ignoreStop = false;
  uint32_t logprobs = 0;
  std::optional<std::vector<int32_t>> forced;
  bool specialText = false;
  StepCallback callback;
};

namespace detail {

/// A struct for the library to fill.
template <typename Struct>
Struct sized() {
  Struct result = {};
  result.struct_bytes = sizeof(result);
  return result;
}

} // namespace detail

/// `metrics` is filled whether or not `error` is set.
struct Generated {
  llcuda_metrics metrics = detail::sized<llcuda_metrics>();
  std::optional<Error> error;
  explicit operator bool() const { return !error; }
};

struct SelfCheck {
  llcuda_self_check report = {};
  std::optional<Error> error;
  explicit operator bool() const { return !error; }
};

namespace detail {

inline Error errorOf(llcuda_status status, const llcuda_error& error) {
  return {status, error.message};
}

inline std::optional<Error> optionalError(llcuda_status status, const llcuda_error& error) {
  return status == LLCUDA_OK ? std::nullopt : std::optional<Error>(errorOf(status, error));
}

/// Calls `call(data, capacity, &count, &error)` with a first guess, and once more when that was too small.
template <typename Container, typename Call>
Expected<Container> grown(std::size_t guess, Call call) {
  Container result(guess, {});
  llcuda_error error;
  std::size_t count = 0;
  llcuda_status status = call(result.data(), result.size(), &count, &error);
  if (status == LLCUDA_USAGE && count > result.size()) {
    result.resize(count);
    status = call(result.data(), result.size(), &count, &error);
  }
  if (status != LLCUDA_OK)
    return errorOf(status, error);
  result.resize(count);
  return result;
}

/// Strings as C has them: a pointer and a length of each. They point into what they are made of.
struct CStrings {
  CStrings() = default;
  explicit CStrings(const std::vector<std::string>& strings) {
    for (const std::string& string : strings) data.push_back(string.data()), bytes.push_back(string.size());
  }
  std::vector<const char*> data;
  std::vector<std::size_t> bytes;
};

/// A sampler as C has it. It points into what it is made of.
class CSampler {
public:
  explicit CSampler(const std::optional<Sampler>& sampler) {
    if (sampler)
      fill(*sampler);
  }
  const llcuda_sampler* get() const { return c.struct_bytes == 0 ? nullptr : &c; }

private:
  void fill(const Sampler& from) {
    llcuda_sampler_init(&c);
    c.stages = from.stages.c_str();
    c.temperature = from.temperature;
    c.dynatemp_range = from.dynatempRange;
    c.dynatemp_exponent = from.dynatempExponent;
    c.top_k = from.topK;
    c.top_p = from.topP;
    c.min_p = from.minP;
    c.typical_p = from.typicalP;
    c.top_n_sigma = from.topNSigma;
    c.xtc_probability = from.xtcProbability;
    c.xtc_threshold = from.xtcThreshold;
    c.repeat_last_n = from.repeatLastN;
    c.repeat_penalty = from.repeatPenalty;
    c.frequency_penalty = from.frequencyPenalty;
    c.presence_penalty = from.presencePenalty;
    c.dry_multiplier = from.dryMultiplier;
    c.dry_base = from.dryBase;
    c.dry_allowed_length = from.dryAllowedLength;
    c.dry_penalty_last_n = from.dryPenaltyLastN;
    breakers = CStrings(from.drySequenceBreakers);
    c.dry_sequence_breakers = breakers.data.data();
    c.dry_sequence_breaker_bytes = breakers.bytes.data();
    c.dry_sequence_breaker_count = breakers.data.size();
    c.mirostat = from.mirostat;
    c.mirostat_tau = from.mirostatTau;
    c.mirostat_eta = from.mirostatEta;
    c.adaptive_target = from.adaptiveTarget;
    c.adaptive_decay = from.adaptiveDecay;
    c.min_keep = from.minKeep;
    c.seed = from.seed.value_or(0);
    c.has_seed = from.seed.has_value();
    c.ignore_eos = from.ignoreEos;
    c.logit_bias = from.logitBias.data();
    c.logit_bias_count = from.logitBias.size();
  }

  llcuda_sampler c = {};
  CStrings breakers;
};

inline int32_t stepThunk(const llcuda_step* step, void* user) {
  return (*static_cast<StepCallback*>(user))(*step) ? 0 : 1;
}

inline void logThunk(int32_t level, const char* line, void* user) {
  (*static_cast<Log*>(user))(static_cast<llcuda_log_level>(level), line);
}

} // namespace detail

/// Movable, not copyable. One thread at a time, except cancel().
class Session {
public:
  Expected<std::size_t> rewind(std::size_t count) {
    llcuda_error error;
    const llcuda_status status = llcuda_session_rewind(handle.get(), count, &error);
    return status == LLCUDA_OK ? Expected<std::size_t>(count) : detail::errorOf(status, error);
  }

  /// The number of tokens in the sequence afterwards.
  Expected<std::size_t> feed(std::span<const int32_t> tokens) {
    llcuda_error error;
    const llcuda_status status = llcuda_session_feed(handle.get(), tokens.data(), tokens.size(), &error);
    return status == LLCUDA_OK ? Expected<std::size_t>(this->tokens().size()) : detail::errorOf(status, error);
  }

  Generated generate(std::span<const int32_t> tokens, const GenerateOptions& options = {}) {
    return run(options, [&](const llcuda_generate_options& c, llcuda_metrics* metrics, llcuda_error* error) {
      return llcuda_session_generate(handle.get(), tokens.data(), tokens.size(), &c, metrics, error);
    });
  }

  Generated generateText(std::string_view text, const GenerateOptions& options = {}) {
    return run(options, [&](const llcuda_generate_options& c, llcuda_metrics* metrics, llcuda_error* error) {
      return llcuda_session_generate_text(handle.get(), text.data(), text.size(), &c, metrics, error);
    });
  }

  SelfCheck selfCheck() {
    SelfCheck result;
    llcuda_error error;
    const llcuda_status status = llcuda_session_self_check(handle.get(), &result.report, &error);
    result.error = detail::optionalError(status, error);
    return result;
  }

  /// Of the work so far; its pointers are good until the next call on the session.
  Expected<llcuda_profile> profile() {
    llcuda_profile result;
    llcuda_error error;
    const llcuda_status status = llcuda_session_get_profile(handle.get(), &result, &error);
    return status == LLCUDA_OK ? Expected<llcuda_profile>(result) : detail::errorOf(status, error);
  }

  /// From any thread.
  void cancel() { llcuda_session_cancel(handle.get()); }

  /// Valid until the next call that changes the sequence.
  std::span<const int32_t> tokens() const {
    const int32_t* data = nullptr;
    const std::size_t count = llcuda_session_tokens(handle.get(), &data);
    return {data, count};
  }
  llcuda_session_info info() const {
    auto result = detail::sized<llcuda_session_info>();
    llcuda_session_get_info(handle.get(), &result);
    return result;
  }
  llcuda_metrics metrics() const {
    auto result = detail::sized<llcuda_metrics>();
    llcuda_session_get_metrics(handle.get(), &result);
    return result;
  }

private:
  friend class Engine;
  struct Destroy {
    void operator()(llcuda_session* session) const { llcuda_session_destroy(session); }
  };

  Session(llcuda_session* session, std::unique_ptr<Log> log) : log(std::move(log)), handle(session) {}

  template <typename Call>
  Generated run(const GenerateOptions& options, Call call) {
    llcuda_generate_options c;
    llcuda_generate_options_init(&c);
    c.max_tokens = options.maxTokens;
    const detail::CSampler sampler(options.sampler);
    c.sampler = sampler.get();
    c.ignore_stop = options.ignoreStop;
    c.logprobs = options.logprobs;
    c.special_text = options.specialText;
    const int32_t none = 0;
    if (options.forced) {
      c.forced = options.forced->empty() ? &none : options.forced->data();
      c.forced_count = options.forced->size();
    }
    StepCallback callback = options.callback;
    if (callback) {
      c.callback = detail::stepThunk;
      c.user = &callback;
    }
    Generated result;
    llcuda_error error;
    const llcuda_status status = call(c, &result.metrics, &error);
    result.error = detail::optionalError(status, error);
    return result;
  }

  std::unique_ptr<Log> log; // outlives the session, at an address that stays
  std::unique_ptr<llcuda_session, Destroy> handle;
};

/// What answers have to look like; see llcuda_grammar_create. Usable by many requests at once, and copies are the same.
class Grammar {
public:
  const llcuda_grammar* get() const { return handle.get(); }

private:
  friend class Engine;
  explicit Grammar(llcuda_grammar* grammar) : handle(grammar, llcuda_grammar_destroy) {}
  std::shared_ptr<llcuda_grammar> handle;
};

class Engine;

struct SchedulerOptions {
  llcuda_device device = LLCUDA_DEVICE_AUTO;
  int deviceIndex = 0;
  uint32_t context = 0;                        ///< 0: as many positions as the engine allows
  uint32_t slots = 0;                          ///< requests that run at a time; 0: as many as the engine decodes
  uint64_t cacheBytes = 0;                     ///< 0: what is free, less 256 MiB
  uint64_t hostCacheBytes = uint64_t{1} << 30; ///< of requests that make room for others, and of prefixes
  uint32_t queue = 256;                        ///< requests that may wait
  float stepTargetMs = 0;                      ///< 0: 2.5 to 2.9 decode steps of all that run
  bool graphs = true;
  bool prefixCache = true;  ///< prompts begin with what others have computed
  bool fair = false;        ///< Request::fairKey counts
  uint32_t maskWorkers = 0; ///< threads that make the masks of grammars; 0: min(4, processors - 1)
  llcuda_speculation speculation = LLCUDA_SPECULATION_NONE;
  uint32_t draftMax = 0;               ///< tokens that are guessed for a request at a time at most; 0: 15
  uint32_t draftMin = 0;               ///< fewer are not guessed
  uint32_t ngramSize = 0;              ///< tokens that have to have stood there before; 0: 3
  float draftPMin = 0;                 ///< a token that the draft engine finds less likely is no guess
  const Engine* draftEngine = nullptr; ///< guesses too; see llcuda_scheduler_options. Null: there is none
  std::string weightsFrom;
  Log log; ///< called by Engine::createScheduler alone
};

/// What a scheduler is asked for; see llcuda_request.
struct Request {
  std::vector<int32_t> tokens;
  int32_t maxTokens = -1;
  std::optional<Sampler> sampler; ///< nothing: Engine::defaultSampler()
  std::vector<std::string> stop;
  int32_t logprobs = -1;
  bool ignoreStop = false;
  bool specialText = false;
  int32_t priority = 0;
  uint64_t cacheSalt = 0;  ///< requests with different ones share no prefixes
  bool prefixCache = true; ///< false: it neither takes nor leaves any
  std::string fairKey;     ///< whose share it counts for
  int32_t promptLogprobs = -1;
  llcuda_task task = LLCUDA_TASK_GENERATE;
  llcuda_pooling pooling = LLCUDA_POOLING_DEFAULT;
  std::optional<Grammar> grammar;           ///< of the answer
  std::vector<std::string> grammarTriggers; ///< it begins at the end of the first of these; none: at the start
  bool postSamplingProbs = false;           ///< `logprobs` are of the candidates that the sampler's stages left
  int32_t reasoningBudget = -1;             ///< tokens of reasoning; -1: any number
  std::string reasoningStart;               ///< empty: it begins with the answer
  std::string reasoningEnd;
  std::string reasoningMessage;
  void* user = nullptr;
};

/// Movable, not copyable. Any number of threads.
class Scheduler {
public:
  /// Its number.
  Expected<uint64_t> submit(const Request& request) {
    const detail::CStrings stop(request.stop), triggers(request.grammarTriggers);
    llcuda_request c;
    llcuda_request_init(&c);
    c.grammar = request.grammar ? request.grammar->get() : nullptr;
    c.grammar_triggers = triggers.data.data();
    c.grammar_trigger_bytes = triggers.bytes.data();
    c.grammar_trigger_count = triggers.data.size();
    c.tokens = request.tokens.data();
    c.count = request.tokens.size();
    c.max_tokens = request.maxTokens;
    const detail::CSampler sampler(request.sampler);
    c.sampler = sampler.get();
    c.stop = stop.data.data();
    c.stop_bytes = stop.bytes.data();
    c.stop_count = stop.data.size();
    c.logprobs = request.logprobs;
    c.ignore_stop = request.ignoreStop;
    c.special_text = request.specialText;
    c.priority = request.priority;
    c.cache_salt = request.cacheSalt;
    c.no_prefix_cache = !request.prefixCache;
    c.fair_key = request.fairKey.data();
    c.fair_key_bytes = request.fairKey.size();
    c.prompt_logprobs = request.promptLogprobs;
    c.task = request.task;
    c.pooling = request.pooling;
    c.post_sampling_probs = request.postSamplingProbs;
    c.reasoning_budget = request.reasoningBudget;
    c.reasoning_start = request.reasoningStart.c_str();
    c.reasoning_end = request.reasoningEnd.c_str();
    c.reasoning_message = request.reasoningMessage.c_str();
    c.user = request.user;
    uint64_t number = 0;
    llcuda_error error;
    const llcuda_status status = llcuda_scheduler_submit(handle.get(), &c, &number, &error);
    return status == LLCUDA_OK ? Expected<uint64_t>(number) : detail::errorOf(status, error);
  }

  void cancel(uint64_t number) { llcuda_scheduler_cancel(handle.get(), number); }
  /// It generates nothing until it is called with false.
  void hold(uint64_t number, bool on) { llcuda_scheduler_hold(handle.get(), number, on); }

  /// Up to `most` events; their pointers live until this thread's next poll. A negative timeout: as long as it takes.
  std::vector<llcuda_event> poll(std::size_t most, int32_t timeoutMs) {
    std::vector<llcuda_event> events(most, detail::sized<llcuda_event>());
    events.resize(llcuda_scheduler_poll(handle.get(), events.data(), most, timeoutMs));
    return events;
  }
  int fd() const { return llcuda_scheduler_fd(handle.get()); }

  llcuda_scheduler_stats stats() const {
    auto result = detail::sized<llcuda_scheduler_stats>();
    llcuda_scheduler_get_stats(handle.get(), &result);
    return result;
  }

  /// Nothing when all requests ended by themselves.
  std::optional<Error> drain(int32_t timeoutMs) {
    llcuda_error error;
    const llcuda_status status = llcuda_scheduler_drain(handle.get(), timeoutMs, &error);
    return detail::optionalError(status, error);
  }

private:
  friend class Engine;
  struct Destroy {
    void operator()(llcuda_scheduler* scheduler) const { llcuda_scheduler_destroy(scheduler); }
  };

  explicit Scheduler(llcuda_scheduler* scheduler) : handle(scheduler) {}

  std::unique_ptr<llcuda_scheduler, Destroy> handle;
};

/// Movable, not copyable. Any number of threads.
class Engine {
public:
  static Expected<Engine> open(const std::string& path, llcuda_verify verify = LLCUDA_VERIFY_FULL) {
    llcuda_open_options options;
    llcuda_open_options_init(&options);
    options.verify = verify;
    llcuda_engine* engine = nullptr;
    llcuda_error error;
    const llcuda_status status = llcuda_engine_open_with(path.c_str(), &options, &engine, &error);
    return status == LLCUDA_OK ? Expected<Engine>(Engine(engine)) : detail::errorOf(status, error);
  }

  /// The engine may be destroyed before its sessions.
  Expected<Session> createSession(const SessionOptions& options = {}) {
    auto log = options.log ? std::make_unique<Log>(options.log) : nullptr;
    llcuda_session_options c;
    llcuda_session_options_init(&c);
    c.device = options.device;
    c.device_index = options.deviceIndex;
    c.context = options.context;
    c.guard = options.guard;
    c.no_graphs = !options.graphs;
    c.profile = options.profile;
    c.all_kernels = options.allKernels;
    c.weights_from = options.weightsFrom.empty() ? nullptr : options.weightsFrom.c_str();
    if (log) {
      c.log = detail::logThunk;
      c.log_user = log.get();
    }
    llcuda_session* session = nullptr;
    llcuda_error error;
    const llcuda_status status = llcuda_session_create(handle.get(), &c, &session, &error);
    if (status != LLCUDA_OK)
      return detail::errorOf(status, error);
    return Session(session, std::move(log));
  }

  /// The engine may be destroyed before its schedulers.
  Expected<Scheduler> createScheduler(const SchedulerOptions& options = {}) {
    Log log = options.log;
    llcuda_scheduler_options c;
    llcuda_scheduler_options_init(&c);
    c.device = options.device;
    c.device_index = options.deviceIndex;
    c.context = options.context;
    c.slots = options.slots;
    c.cache_bytes = options.cacheBytes;
    c.host_cache_bytes = options.hostCacheBytes;
    c.queue = options.queue;
    c.step_target_ms = options.stepTargetMs;
    c.prefix_cache = options.prefixCache;
    c.fair = options.fair;
    c.mask_workers = options.maskWorkers;
    c.speculation = options.speculation;
    c.draft_max = options.draftMax;
    c.draft_min = options.draftMin;
    c.ngram_size = options.ngramSize;
    c.draft_p_min = options.draftPMin;
    c.draft_engine = options.draftEngine ? options.draftEngine->handle.get() : nullptr;
    c.no_graphs = !options.graphs;
    c.weights_from = options.weightsFrom.empty() ? nullptr : options.weightsFrom.c_str();
    if (log) {
      c.log = detail::logThunk;
      c.log_user = &log;
    }
    llcuda_scheduler* scheduler = nullptr;
    llcuda_error error;
    const llcuda_status status = llcuda_scheduler_create(handle.get(), &c, &scheduler, &error);
    if (status != LLCUDA_OK)
      return detail::errorOf(status, error);
    return Scheduler(scheduler);
  }

  llcuda_engine_info info() const {
    auto result = detail::sized<llcuda_engine_info>();
    llcuda_engine_get_info(handle.get(), &result);
    return result;
  }

  /// A token's bytes, which live as long as the engine, and what it is.
  struct Piece {
    std::string_view bytes;
    bool isPresent = false, isSpecial = false;
  };
  Piece piece(int32_t token) const {
    const char* bytes = nullptr;
    std::size_t count = 0;
    const int32_t flags = llcuda_token_piece(handle.get(), token, &bytes, &count);
    return {{bytes, count}, (flags & LLCUDA_PIECE_PRESENT) != 0, (flags & LLCUDA_PIECE_SPECIAL) != 0};
  }

  /// The source of a chat template; nothing where there is none.
  std::optional<std::string_view> chatTemplate(const std::string& name = {}) const {
    std::size_t bytes = 0;
    const char* source = llcuda_chat_template(handle.get(), name.c_str(), &bytes);
    return source ? std::optional(std::string_view(source, bytes)) : std::nullopt;
  }
  std::optional<Error> setChatTemplate(std::string_view source) {
    llcuda_error error;
    return detail::optionalError(llcuda_engine_set_chat_template(handle.get(), source.data(), source.size(), &error),
                                 error);
  }

  /// `flags`: llcuda_tokenize_flags.
  Expected<std::vector<int32_t>> tokenize(std::string_view text, uint32_t flags) const {
    return detail::grown<std::vector<int32_t>>(
        text.size() + 2, [&](auto* data, auto capacity, auto* count, auto* error) {
          return llcuda_tokenize(handle.get(), text.data(), text.size(), flags, data, capacity, count, error);
        });
  }

  Expected<std::string> detokenize(std::span<const int32_t> tokens, bool special = false) const {
    return detail::grown<std::string>(8 * tokens.size(), [&](auto* data, auto capacity, auto* count, auto* error) {
      return llcuda_detokenize(handle.get(), tokens.data(), tokens.size(), special, data, capacity, count, error);
    });
  }

  Expected<std::string> renderChat(std::span<const Message> messages, bool openReply,
                                   const std::string& templateName = {}) const {
    std::vector<llcuda_turn> c;
    for (const Message& message : messages)
      c.push_back({message.role.data(), message.role.size(), message.content.data(), message.content.size()});
    return detail::grown<std::string>(4096, [&](auto* data, auto capacity, auto* count, auto* error) {
      return llcuda_render_turns(handle.get(), templateName.c_str(), c.data(), c.size(), openReply, data, capacity,
                                 count, error);
    });
  }

  /// By a JSON object of the template's variables, such as `messages` and `tools`.
  Expected<std::string> renderChatJson(std::string_view variables, const std::string& templateName = {}) const {
    return detail::grown<std::string>(4096, [&](auto* data, auto capacity, auto* count, auto* error) {
      return llcuda_render_chat_json(handle.get(), templateName.c_str(), variables.data(), variables.size(), data,
                                     capacity, count, error);
    });
  }

  /// The text may come from anywhere; LLCUDA_USAGE says what is wrong with it.
  Expected<Grammar> createGrammar(llcuda_grammar_kind kind, std::string_view text) const {
    llcuda_grammar* grammar = nullptr;
    llcuda_error error;
    const llcuda_status status = llcuda_grammar_create(handle.get(), kind, text.data(), text.size(), &grammar, &error);
    return status == LLCUDA_OK ? Expected<Grammar>(Grammar(grammar)) : detail::errorOf(status, error);
  }

  /// What the model's files say of sampling, over the defaults of a Sampler.
  Sampler defaultSampler() const {
    auto c = detail::sized<llcuda_sampler>();
    llcuda_engine_default_sampler(handle.get(), &c, nullptr);
    Sampler sampler;
    sampler.stages = c.stages ? c.stages : sampler.stages;
    sampler.temperature = c.temperature;
    sampler.topK = c.top_k;
    sampler.topP = c.top_p;
    sampler.minP = c.min_p;
    sampler.typicalP = c.typical_p;
    sampler.xtcProbability = c.xtc_probability;
    sampler.xtcThreshold = c.xtc_threshold;
    sampler.repeatLastN = c.repeat_last_n;
    sampler.repeatPenalty = c.repeat_penalty;
    sampler.mirostat = c.mirostat;
    sampler.mirostatTau = c.mirostat_tau;
    sampler.mirostatEta = c.mirostat_eta;
    return sampler;
  }

  bool isStopToken(int32_t token) const { return llcuda_is_stop_token(handle.get(), token) != 0; }

private:
  struct Close {
    void operator()(llcuda_engine* engine) const { llcuda_engine_close(engine); }
  };

  explicit Engine(llcuda_engine* engine) : handle(engine) {}

  std::unique_ptr<llcuda_engine, Close> handle;
};

} // namespace llcuda::api
