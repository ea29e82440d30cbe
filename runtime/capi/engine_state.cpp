// SPDX-License-Identifier: Apache-2.0
#include "runtime/capi/engine_state.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "codegen/formats/dry_breakers.h"
#include "runtime/exec/memory_plan.h"
#include "runtime/text/sequence_breakers.h"

namespace llcuda::capi {
namespace {

Error withPath(const Engine& engine, const Error& error) {
  return makeError(error.code, engine.path(), ": ", error.message);
}

} // namespace

Result<std::shared_ptr<EngineState>> EngineState::open(const std::string& path, Verify verify) {
  const auto start = std::chrono::steady_clock::now();
  LLCUDA_ASSIGN_OR_RETURN(Engine engine, Engine::open(path, verify));
  std::shared_ptr<EngineState> state(new EngineState(std::move(engine)));
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(state->engine.headerHash()));
  state->digits.assign(digits, 8);
  LLCUDA_RETURN_IF_ERROR(state->readTextConfig());
  state->openTime = std::chrono::steady_clock::now() - start;
  return state;
}

Result<void> EngineState::readTextConfig() {
  LLCUDA_RETURN_IF_ERROR(engine.check(schema::SegmentKind::kText));
  if (engine.textConfig().empty())
    return {};
  auto parsed = text::parseTextConfig(engine.textConfig());
  if (!parsed)
    return withPath(engine, parsed.error());
  config = std::move(*parsed);
  if (auto checked = text::checkTextConfig(config, engine.model().vocabulary()); !checked)
    return withPath(engine, checked.error());
  return {};
}

Result<const text::Tokenizer*> EngineState::openTokenizer() {
  if (!hasTokenizer())
    return unsupported(engine.path(), ": has no vocabulary; give token ids instead of text");
  if (!openedTokenizer) {
    auto opened = text::Tokenizer::open(engine.tokenizerJson(), config);
    if (!opened)
      return withPath(engine, opened.error());
    openedTokenizer = std::move(*opened);
  }
  return &*openedTokenizer;
}

Result<const text::Tokenizer*> EngineState::tokenizer() {
  const std::lock_guard lock(textMutex);
  return openTokenizer();
}

Result<text::Grammars*> EngineState::grammars() {
  const std::lock_guard lock(textMutex);
  if (!openedGrammars) {
    LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokens, openTokenizer());
    auto opened = text::Grammars::open(*tokens, engine.model().vocabulary());
    if (!opened)
      return withPath(engine, opened.error());
    openedGrammars = std::move(*opened);
  }
  return openedGrammars.get();
}

Result<std::shared_ptr<const std::vector<uint32_t>>> EngineState::dryBreakers(const std::vector<std::string>& strings) {
  constexpr std::size_t kKept = 64;
  const std::lock_guard lock(textMutex);
  if (const auto known = packedBreakers.find(strings); known != packedBreakers.end())
    return known->second;
  const auto vocabulary = static_cast<int>(engine.model().vocabulary());
  std::vector<std::vector<int32_t>> breakers;
  if (!strings.empty()) {
    if (!hasTokenizer())
      return unsupported("dry_sequence_breakers are text, and the engine has no tokenizer; give none");
    LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* opened, openTokenizer());
    breakers = text::sequenceBreakers(*opened, strings, kDryTailTokens);
  }
  std::erase_if(breakers, [&](const std::vector<int32_t>& breaker) {
    return std::ranges::any_of(breaker, [&](int32_t token) { return token >= vocabulary; });
  });
  auto packed = packDryBreakers(vocabulary, breakers);
  if (!packed)
    return usageError("dry_sequence_breakers: there are too many ways to write them with several tokens, allowed are ",
                      kDryPairs, " with ", kDryTails, " different ends; give fewer or shorter ones");
  if (packedBreakers.size() == kKept)
    packedBreakers.clear();
  return packedBreakers[strings] = std::make_shared<const std::vector<uint32_t>>(std::move(*packed));
}

Result<std::string> EngineState::templateSource(const std::string& name) {
  if (!name.empty()) {
    const auto named = config.namedTemplates.find(name);
    if (named != config.namedTemplates.end())
      return named->second;
    std::string names;
    for (const auto& [known, source] : config.namedTemplates) names += (names.empty() ? "" : ", ") + known;
    return usageError(engine.path(), ": has no chat template \"", name, "\"; ",
                      names.empty() ? "it has no named ones" : "there are " + names);
  }
  if (!config.chatTemplate.empty())
    return config.chatTemplate;
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokens, openTokenizer());
  const std::string_view family =
      text::builtinChatTemplate([&](std::string_view token) { return tokens->find(token).has_value(); });
  if (family.empty())
    return unsupported(engine.path(), ": has no chat template");
  return std::string(family);
}

Result<const text::ChatTemplate*> EngineState::chatTemplate(const std::string& name) {
  const std::lock_guard lock(textMutex);
  auto found = openedTemplates.find(name);
  if (found == openedTemplates.end()) {
    LLCUDA_ASSIGN_OR_RETURN(const std::string source, templateSource(name));
    auto opened = text::ChatTemplate::open(source);
    if (!opened)
      return withPath(engine, opened.error());
    found = openedTemplates.emplace(name, std::move(*opened)).first;
  }
  return &found->second;
}

Result<const std::string*> EngineState::chatTemplateSource(const std::string& name) {
  const std::lock_guard lock(textMutex);
  auto found = shownTemplates.find(name);
  if (found == shownTemplates.end()) {
    LLCUDA_ASSIGN_OR_RETURN(std::string source, templateSource(name));
    found = shownTemplates.emplace(name, std::move(source)).first;
  }
  return &found->second;
}

Result<void> EngineState::setChatTemplate(std::string source) {
  auto opened = text::ChatTemplate::open(source);
  if (!opened)
    return usageError("the chat template cannot be used: ", opened.error().message);
  const std::lock_guard lock(textMutex);
  config.chatTemplate = std::move(source);
  openedTemplates.insert_or_assign("", std::move(*opened));
  shownTemplates.erase("");
  return {};
}

bool EngineState::hasChatTemplate() {
  if (!config.chatTemplate.empty())
    return true;
  const std::lock_guard lock(textMutex);
  return hasTokenizer() && templateSource("").ok();
}

Result<std::string> EngineState::renderChat(const std::string& templateName, std::vector<text::ChatMessage> messages,
                                            bool openReply) {
  LLCUDA_ASSIGN_OR_RETURN(text::ChatContext context, chatContext());
  LLCUDA_ASSIGN_OR_RETURN(const text::ChatTemplate* opened, chatTemplate(templateName));
  context.messages = std::move(messages);
  context.addGenerationPrompt = openReply;
  return opened->render(context);
}

Result<std::string> EngineState::renderChat(const std::string& templateName, std::string_view variables) {
  LLCUDA_ASSIGN_OR_RETURN(const text::ChatContext context, chatContext());
  LLCUDA_ASSIGN_OR_RETURN(const text::ChatTemplate* opened, chatTemplate(templateName));
  return opened->render(variables, context);
}

/// Without messages: the special tokens and the time.
Result<text::ChatContext> EngineState::chatContext() {
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokens, tokenizer());
  const auto piece = [&](int32_t id) { return id == text::kNoToken ? std::string() : std::string(tokens->piece(id)); };
  text::ChatContext context;
  context.bosToken = piece(config.bos);
  context.eosToken = piece(config.eos);
  context.unknownToken = piece(config.unknown);
  context.paddingToken = piece(config.padding);
  context.now = std::time(nullptr);
  return context;
}

Result<std::shared_ptr<const Program>> EngineState::program(const ProgramRequest& request, const LogSink& log) {
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(engine, request.device, request.index, log));
  const std::lock_guard lock(programMutex);
  std::weak_ptr<const Program>& known = programs[{device.onHost(), device.onHost() ? 0 : request.index}];
  if (auto running = known.lock(); running && !request.guard)
    return running;
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo info, device.context->memoryInfo());
  LLCUDA_RETURN_IF_ERROR(checkMemory(engine, memoryPlan(engine, request.context, 1), 1, info.freeBytes, true));
  const std::shared_ptr<const Engine> shared(shared_from_this(), &engine);
  LLCUDA_ASSIGN_OR_RETURN(auto loaded, Program::load(shared, std::move(device), request.guard, request.weightsFrom));
  if (!request.guard)
    known = loaded;
  return loaded;
}

} // namespace llcuda::capi
