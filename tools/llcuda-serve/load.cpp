// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-serve/load.h"

#include <algorithm>
#include <bit>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "runtime/server/api/engine_defaults.h"
#include "runtime/server/api/fields.h"
#include "tools/engine-cache/compile_first.h"
#include "tools/llcuda-serve/named_templates.h"

namespace llcuda::serve {
namespace {

using server::Json;
using server::ServerOptions;

constexpr uint32_t kSlotsOfModels = 8, kLeastContext = 2048;

int fail(const api::Error& error) {
  std::cerr << "llcuda-serve: " << error.message << '\n';
  return error.status;
}

/// Rows of a model that guesses: decode steps have no more guesses.
constexpr uint32_t kDraftRows = 8;

/// Engines for a few sizes, so that another -c or -np seldom means another compilation: what is more than asked for
/// costs nothing while it is not used.
std::variant<std::string, int> engineOf(const ServerOptions& options, const std::string& given, uint32_t rows,
                                        const std::function<void(pid_t)>& compiling) {
  if (!tools::isModel(given))
    return given;
  auto engine = tools::compiledEngine(
      {.program = "llcuda-serve",
       .model = given,
       .device = static_cast<llcuda_device>(options.device),
       .context = options.context == 0 ? 0 : std::bit_ceil(std::max(options.context, kLeastContext)),
       .maxBatch = rows,
       .cacheBytes = options.engineCacheBytes,
       .started = compiling});
  compiling(0);
  return engine;
}

/// Defaults of requests: the model's, and over them what the flags say, by the table of the fields.
std::variant<server::Params, api::Error> defaultsOf(const ServerOptions& options, server::Params params,
                                                    const server::FieldLimits& limits) {
  for (const auto& [name, value] : options.requestDefaults) {
    const auto table = server::fieldTable();
    const auto field = std::ranges::find(table, std::string_view(name), &server::Field::name);
    if (field == table.end())
      return api::Error{LLCUDA_INTERNAL, "no field of requests is called " + name};
    if (const auto fault = server::storeField(*field, Json::parse(value), params, limits))
      return api::Error{LLCUDA_USAGE, "the default of " + name + fault->at + ": " + fault->sentence};
  }
  Json kwargs = options.chatTemplateKwargs.empty() ? Json::object() : Json::parse(options.chatTemplateKwargs);
  if (options.reasoning != "auto")
    kwargs["enable_thinking"] = options.reasoning == "on";
  if (!kwargs.empty())
    params.templateKwargs = std::move(kwargs);
  params.reasoningFormat = options.reasoningFormat;
  return params;
}

/// Empty: the model's own stays. A model without one gets ChatML, as llama-server has it.
std::string_view templateFor(const ServerOptions& options, const llcuda_engine_info& info) {
  if (options.chatTemplate.empty() && info.has_tokenizer && !info.has_chat_template)
    return *namedTemplate("chatml");
  return options.chatTemplate;
}

std::optional<llcuda_pooling> poolingOf(const ServerOptions& options) {
  const std::map<std::string_view, llcuda_pooling> poolings = {{"model", LLCUDA_POOLING_DEFAULT},
                                                               {"mean", LLCUDA_POOLING_MEAN},
                                                               {"last", LLCUDA_POOLING_LAST},
                                                               {"cls", LLCUDA_POOLING_CLS}};
  const auto found = poolings.find(options.pooling);
  return found == poolings.end() ? std::nullopt : std::optional(found->second);
}

llcuda_verify verifyOf(const ServerOptions& options) {
  return options.verify == "lazy" ? LLCUDA_VERIFY_LAZY : LLCUDA_VERIFY_FULL;
}

std::string nameOf(const ServerOptions& options) {
  return options.aliases.empty() ? options.model.substr(options.model.find_last_of('/') + 1) : options.aliases.front();
}

api::SchedulerOptions schedulerOptions(const ServerOptions& options, const llcuda_engine_info& info) {
  api::SchedulerOptions result;
  result.device = static_cast<llcuda_device>(options.device);
  result.deviceIndex = options.deviceIndex;
  result.context = std::min(options.context, info.max_context);
  result.slots = options.slots;
  result.hostCacheBytes = options.hostCacheBytes;
  result.queue = options.queue;
  result.prefixCache = options.prefixCache;
  result.fair = options.fair;
  result.speculation = options.guessesByNgrams ? LLCUDA_SPECULATION_NGRAM : LLCUDA_SPECULATION_NONE;
  result.draftPMin = options.draftPMin;
  result.draftMax = options.draftMax;
  result.draftMin = options.draftMin;
  result.ngramSize = options.ngramSize;
  result.stepTargetMs = options.stepTargetMs;
  result.weightsFrom = options.weightsFrom;
  result.log = [](llcuda_log_level level, std::string_view line) {
    std::cerr << (level == LLCUDA_LOG_WARNING ? "warning: " : "") << line << '\n';
  };
  return result;
}

} // namespace

std::variant<std::unique_ptr<server::Service>, int> load(const ServerOptions& options,
                                                         const std::function<void(pid_t)>& compiling) {
  const uint32_t slots = options.slots == 0 ? kSlotsOfModels : options.slots;
  auto path = engineOf(options, options.model, std::bit_ceil(std::max(slots, kSlotsOfModels)), compiling);
  if (const int* code = std::get_if<int>(&path))
    return *code;
  auto engine = api::Engine::open(std::get<std::string>(path), verifyOf(options));
  if (!engine)
    return fail(engine.error());
  const llcuda_engine_info info = engine->info();
  if (options.chatTemplate.empty() && info.has_tokenizer && !info.has_chat_template)
    std::cerr << "note: the model has no chat template; chats are written as ChatML\n";
  if (const std::string_view source = templateFor(options, info); !source.empty())
    if (const auto error = engine->setChatTemplate(source))
      return fail(*error);
  if (options.context > info.max_context)
    std::cerr << "warning: the engine has " << info.max_context << " positions for a request, not " << options.context
              << '\n';
  std::optional<api::Engine> draft; // its scheduler keeps what it needs
  if (!options.draftModel.empty()) {
    path = engineOf(options, options.draftModel, kDraftRows, compiling);
    if (const int* code = std::get_if<int>(&path))
      return *code;
    auto opened = api::Engine::open(std::get<std::string>(path), verifyOf(options));
    if (!opened)
      return fail(opened.error());
    draft.emplace(std::move(*opened));
  }
  api::SchedulerOptions wanted = schedulerOptions(options, info);
  wanted.draftEngine = draft ? &*draft : nullptr;
  auto scheduler = engine->createScheduler(wanted);
  if (!scheduler)
    return fail(scheduler.error());
  auto defaults = defaultsOf(options, server::engineDefaults(*engine), {info.vocabulary});
  if (const api::Error* error = std::get_if<api::Error>(&defaults))
    return fail(*error);
  server::ServiceOptions service;
  service.model = nameOf(options);
  service.aliases = options.aliases;
  // Clients of llama-server know fingerprints by their first letter.
  service.fingerprint = std::string("b") + llcuda_version() + "-llcuda-" + info.fingerprint;
  service.defaults = std::get<server::Params>(std::move(defaults));
  service.pooling = poolingOf(options);
  service.ranks = options.ranks;
  service.mostTokens = options.mostTokens;
  service.queue = options.queue;
  service.strictModel = options.strictModel;
  service.strictFields = options.strictFields;
  service.verbose = options.verbose;
  service.onUnknownField = [](const std::string& name) {
    std::cerr << "note: requests have a field '" + name + "' that no endpoint knows\n";
  };
  return std::make_unique<server::Service>(std::move(*engine), std::move(*scheduler), std::move(service));
}

} // namespace llcuda::serve
