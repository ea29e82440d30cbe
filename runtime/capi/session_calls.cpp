// SPDX-License-Identifier: Apache-2.0
// llcuda_session_*.
#include "runtime/capi/generation.h"
#include "runtime/capi/session_state.h"
#include "runtime/capi/tokenizer_check.h"
#include "runtime/exec/self_check.h"
#include "runtime/schema/phase_facts.h"

using namespace llcuda;
using namespace llcuda::capi;

namespace {

static_assert(static_cast<int>(DeviceChoice::kAuto) == LLCUDA_DEVICE_AUTO &&
              static_cast<int>(DeviceChoice::kCuda) == LLCUDA_DEVICE_CUDA &&
              static_cast<int>(DeviceChoice::kHost) == LLCUDA_DEVICE_HOST);
static_assert(static_cast<int>(LogLevel::kInfo) == LLCUDA_LOG_INFO &&
              static_cast<int>(LogLevel::kWarning) == LLCUDA_LOG_WARNING);

llcuda_session_options defaultSessionOptions() {
  llcuda_session_options options = {};
  options.struct_bytes = sizeof(options);
  return options;
}

Result<uint32_t> contextOf(const llcuda_session_options& options, const fb::Engine& metadata) {
  if (options.context > metadata.max_context())
    return usageError("a context of ", options.context, " positions was asked for, the engine has ",
                      metadata.max_context(), "; compile it with -c ", options.context);
  return options.context == 0 ? metadata.max_context() : options.context;
}

Result<std::unique_ptr<llcuda_session>> createSession(std::shared_ptr<EngineState> engine,
                                                      const llcuda_session_options& options) {
  if (options.device < LLCUDA_DEVICE_AUTO || options.device > LLCUDA_DEVICE_HOST)
    return usageError("device is ", options.device, ", which is no llcuda_device");
  LLCUDA_RETURN_IF_ERROR(engine->file().checkGenerates());
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t context, contextOf(options, engine->file().metadata()));
  const ProgramRequest request{static_cast<DeviceChoice>(options.device), options.device_index, options.guard != 0,
                               context, options.weights_from ? options.weights_from : ""};
  LLCUDA_ASSIGN_OR_RETURN(auto program, engine->program(request, sinkOf(options.log, options.log_user)));
  const auto start = std::chrono::steady_clock::now();
  auto created = std::make_unique<llcuda_session>();
  if (options.all_kernels != 0 || options.profile != 0)
    LLCUDA_RETURN_IF_ERROR(program->kernels().loadAll());
  if (options.profile != 0) {
    LLCUDA_ASSIGN_OR_RETURN(created->profiler, Profiler::create(*program));
  }
  Execution execution;
  execution.graphs = options.no_graphs == 0;
  execution.observer = created->profiler.get();
  LLCUDA_ASSIGN_OR_RETURN(created->session, Session::create(std::move(program), context, 1, std::move(execution)));
  LLCUDA_ASSIGN_OR_RETURN(created->decodeNodes, created->session->decodeNodes());
  created->sequence = std::make_unique<Sequence>(*created->session, 0);
  created->engine = std::move(engine);
  created->creating = std::chrono::steady_clock::now() - start;
  return created;
}

Result<void> checkTokens(const int32_t* tokens, std::size_t count) {
  return tokens || count == 0 ? Result<void>() : usageError("tokens is NULL");
}

} // namespace

void llcuda_session_options_init(llcuda_session_options* options) {
  *options = defaultSessionOptions();
}

void llcuda_generate_options_init(llcuda_generate_options* options) {
  *options = defaultGenerateOptions();
}

llcuda_status llcuda_session_create(llcuda_engine* engine, const llcuda_session_options* options,
                                    llcuda_session** session, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    if (!engine || !session)
      return usageError("engine or session is NULL");
    LLCUDA_ASSIGN_OR_RETURN(const auto wanted, optionsOf(options, defaultSessionOptions()));
    LLCUDA_ASSIGN_OR_RETURN(auto created, createSession(engine->state, wanted));
    *session = created.release();
    return {};
  });
}

void llcuda_session_destroy(llcuda_session* session) {
  delete session;
}

void llcuda_session_get_info(const llcuda_session* session, llcuda_session_info* info) {
  const OpenedDevice& device = session->session->program().device();
  const MemoryPlan& plan = session->session->memoryPlan();
  llcuda_session_info filled = {};
  filled.device = device.name().c_str();
  filled.compute_major = device.capability.major;
  filled.compute_minor = device.capability.minor;
  filled.on_host = device.onHost();
  filled.context = session->session->context();
  filled.decode_nodes = session->decodeNodes;
  filled.weight_bytes = plan.shared();
  filled.arena_bytes = plan.arena;
  filled.kv_bytes = plan.kv;
  filled.io_bytes = plan.io + plan.counters;
  const auto nanoseconds = [](std::chrono::nanoseconds time) { return static_cast<uint64_t>(time.count()); };
  filled.open_ns = nanoseconds(session->engine->opening());
  filled.device_ns = nanoseconds(device.opening);
  filled.weights_ns = nanoseconds(session->session->program().uploading());
  filled.session_ns = nanoseconds(session->creating);
  handOut(filled, info);
}

size_t llcuda_session_tokens(const llcuda_session* session, const int32_t** tokens) {
  const std::span<const int32_t> sequence = session->sequence->tokens();
  if (tokens)
    *tokens = sequence.data();
  return sequence.size();
}

llcuda_status llcuda_session_rewind(llcuda_session* session, size_t count, llcuda_error* error) {
  return session->run(error, [&]() -> Result<void> {
    if (count > session->sequence->tokens().size())
      return usageError("the sequence has ", session->sequence->tokens().size(), " tokens, not ", count);
    return session->sequence->rewind(count);
  });
}

llcuda_status llcuda_session_feed(llcuda_session* session, const int32_t* tokens, size_t count, llcuda_error* error) {
  return session->run(error, [&]() -> Result<void> {
    LLCUDA_RETURN_IF_ERROR(checkTokens(tokens, count));
    return session->sequence->feed({tokens, count});
  });
}

llcuda_status llcuda_session_generate(llcuda_session* session, const int32_t* tokens, size_t count,
                                      const llcuda_generate_options* options, llcuda_metrics* metrics,
                                      llcuda_error* error) {
  const llcuda_status status = session->run(error, [&]() -> Result<void> {
    session->metrics = {};
    LLCUDA_RETURN_IF_ERROR(checkTokens(tokens, count));
    return generate(*session, {tokens, count}, options);
  });
  handOut(metricsOf(session->metrics), metrics);
  return status;
}

llcuda_status llcuda_session_generate_text(llcuda_session* session, const char* text, size_t bytes,
                                           const llcuda_generate_options* options, llcuda_metrics* metrics,
                                           llcuda_error* error) {
  const llcuda_status status = session->run(error, [&]() -> Result<void> {
    session->metrics = {};
    if (!text && bytes != 0)
      return usageError("the text is NULL");
    LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokenizer, session->engine->tokenizer());
    const text::EncodeOptions encode{session->sequence->tokens().empty(), true};
    LLCUDA_ASSIGN_OR_RETURN(const auto tokens, tokenizer->encode(bytes ? std::string_view(text, bytes) : "", encode));
    return generate(*session, tokens, options);
  });
  handOut(metricsOf(session->metrics), metrics);
  return status;
}

void llcuda_session_cancel(llcuda_session* session) {
  session->sequence->cancel();
}

void llcuda_session_get_metrics(const llcuda_session* session, llcuda_metrics* metrics) {
  handOut(metricsOf(session->metrics), metrics);
}

llcuda_status llcuda_session_get_profile(llcuda_session* session, llcuda_profile* profile, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    if (!profile)
      return usageError("profile is NULL");
    if (!session->profiler)
      return usageError("the session was created without a profile");
    const auto& names = *session->session->program().engine().metadata().kernels();
    session->kernels.clear();
    for (const KernelProfile& kernel : session->profiler->kernels())
      session->kernels.push_back({phaseName(kernel.feedsBack), kernel.rows, names[kernel.kernel]->name()->c_str(),
                                  kernel.launches, kernel.nanoseconds, kernel.bytes});
    *profile = {session->profiler->copyBandwidth(), session->kernels.size(), session->kernels.data()};
    return {};
  });
}

llcuda_status llcuda_session_self_check(llcuda_session* session, llcuda_self_check* report, llcuda_error* error) {
  SelfCheckReport result;
  TokenizerCheck texts;
  const llcuda_status status = session->run(error, [&]() -> Result<void> {
    if (const fb::TokenizerVectors* vectors = session->engine->file().metadata().tokenizer_vectors()) {
      LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokenizer, session->engine->tokenizer());
      LLCUDA_RETURN_IF_ERROR(checkTokenizer(*vectors, *tokenizer, texts));
    }
    return selfCheck(session->engine->file(), *session->sequence, result);
  });
  if (report)
    *report = {result.positions, result.different, result.decisiveDifferent, result.meanError,
               result.maxError,  texts.texts,      texts.different};
  return status;
}
