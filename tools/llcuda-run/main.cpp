// SPDX-License-Identifier: Apache-2.0
// Runs an engine: text or token ids in, text out. Results go to standard output, everything else to standard error.
#include <filesystem>
#include <future>
#include <iostream>
#include <optional>
#include <utility>
#include <variant>

#include "compiler/ingest/input_files.h"
#include "runtime/base/clean_end.h"
#include "runtime/base/output_file.h"
#include "runtime/engine/engine.h"

#include "tools/engine-cache/compile_first.h"
#include "tools/llcuda-run/batch.h"
#include "tools/llcuda-run/chat.h"
#include "tools/llcuda-run/embedding.h"
#include "tools/llcuda-run/fail.h"
#include "tools/llcuda-run/interrupt.h"
#include "tools/llcuda-run/options.h"
#include "tools/llcuda-run/report.h"
#include "tools/llcuda-run/scheduled.h"

namespace llcuda::run {
namespace {

api::Expected<std::vector<int32_t>> promptTokens(const api::Engine& engine, const Options& options) {
  if (options.promptTokens)
    return *options.promptTokens;
  if (!options.chat)
    return engine.tokenize(*options.prompt, LLCUDA_ADD_BOS | LLCUDA_PARSE_SPECIAL);
  std::vector<api::Message> messages;
  if (!options.systemPrompt.empty())
    messages.push_back({"system", options.systemPrompt});
  messages.push_back({"user", *options.prompt});
  return chatTokens(engine, messages, options.chatTemplate);
}

/// What a step adds to standard output: its text, or its number where the model has no vocabulary.
void stream(const llcuda_step& step, bool hasText) {
  if (hasText)
    std::cout.write(step.text, static_cast<std::streamsize>(step.text_bytes));
  else if (step.token >= 0)
    std::cout << (step.index == 0 ? "" : " ") << step.token;
  std::cout.flush();
}

/// What an output may not replace: the engine, the model, the files of the engine's weights, the prompts.
std::vector<InputFile> inputsOf(const Options& options) {
  std::vector<std::string> paths = ingest::inputFiles(options.model);
  paths.insert(paths.end(),
               {options.engine, options.draftModel, options.promptFile, options.batch, options.session.weightsFrom});
  if (const Result<Engine> engine = Engine::open(options.engine); engine && engine->metadata().source_files())
    for (const fb::SourceFile* file : *engine->metadata().source_files()) {
      paths.push_back(file->path()->str());
      const std::string name = std::filesystem::path(paths.back()).filename().string();
      for (const std::string& beside : {options.engine, options.session.weightsFrom})
        paths.push_back((std::filesystem::path(beside).parent_path() / name).string());
      paths.push_back((std::filesystem::path(options.session.weightsFrom) / name).string());
    }
  return identified(paths);
}

int writeProfile(api::Session& session, const std::string& path, const std::vector<InputFile>& inputs) {
  const auto profile = session.profile();
  if (!profile)
    return fail(profile.error());
  const Result<void> written = writeOutput(path, profileJson(*profile, session.info()), inputs);
  return written ? LLCUDA_OK : fail(written.error());
}

int generateOnce(const api::Engine& engine, api::Session& session, std::vector<int32_t> tokens,
                 const Options& options) {
  Report report;
  report.promptTokens = std::move(tokens);
  const bool hasText = engine.info().has_tokenizer != 0;
  api::GenerateOptions generate = options.generate;
  generate.callback = [&](const llcuda_step& step) {
    report.add(step);
    if (!options.json)
      stream(step, hasText);
    return std::cout.good();
  };
  const InterruptCancels guard(session);
  const api::Generated generated = session.generate(report.promptTokens, generate);
  if (generated.error)
    return fail(*generated.error);
  if (options.json)
    std::cout << jsonOf(report, generated.metrics, generate.logprobs != 0 || generate.forced);
  else
    std::cout << '\n';
  std::cout.flush();
  std::cerr << startLine(session.info()) << '\n' << timingsLine(generated.metrics) << '\n';
  if (!options.profile.empty())
    if (const int code = writeProfile(session, options.profile, inputsOf(options)); code != LLCUDA_OK)
      return code;
  return std::cout.good() ? LLCUDA_OK : fail({LLCUDA_INTERNAL, "standard output cannot be written"});
}

int selfCheck(api::Session& session) {
  const api::SelfCheck check = session.selfCheck();
  const llcuda_self_check& report = check.report;
  if (report.texts != 0)
    std::cerr << "self-check: " << report.texts << " texts, " << report.different_texts << " with other tokens\n";
  if (report.positions != 0)
    std::cerr << "self-check: " << report.positions << " positions, " << report.different
              << " with another best token, " << report.decisive_different << " of them decisive, mean error "
              << report.mean_error << ", largest " << report.max_error << '\n';
  return check ? LLCUDA_OK : fail(*check.error);
}

/// Of the steps of an engine that is compiled for guesses.
constexpr uint32_t kGuessedRows = 8;

/// The engine of what was given; a model is compiled for steps of so many rows, 0: as the compiler has it.
std::variant<std::string, int> engineOf(const Options& options, const std::string& given, uint32_t rows) {
  if (!tools::isModel(given))
    return given;
  return tools::compiledEngine({.program = "llcuda-run",
                                .model = given,
                                .device = options.session.device,
                                .context = options.context,
                                .maxBatch = rows,
                                .cacheBytes = options.cacheBytes});
}

int run(Options options) {
  auto path = engineOf(options, options.engine, options.guesses() ? kGuessedRows : 0);
  if (const int* code = std::get_if<int>(&path))
    return *code;
  if (std::string engine = std::get<std::string>(std::move(path)); engine != options.engine)
    options.model = std::exchange(options.engine, std::move(engine));
  if (!options.profile.empty())
    if (const Result<void> possible = checkOutput(options.profile, inputsOf(options)); !possible)
      return fail(possible.error());
  auto engine = api::Engine::open(options.engine, options.verify);
  if (!engine)
    return fail(engine.error());
  options.session.log = [](llcuda_log_level level, std::string_view line) {
    std::cerr << (level == LLCUDA_LOG_WARNING ? "warning: " : "") << line << '\n';
  };
  std::optional<api::Engine> draft;
  if (!options.draftModel.empty()) {
    path = engineOf(options, options.draftModel, kGuessedRows);
    if (const int* code = std::get_if<int>(&path))
      return *code;
    auto opened = api::Engine::open(std::get<std::string>(path), options.verify);
    if (!opened)
      return fail(opened.error());
    options.draft = &draft.emplace(std::move(*opened));
  }
  if (options.embedding) {
    auto tokens = promptTokens(*engine, options);
    return tokens ? printEmbedding(*engine, options, std::move(*tokens)) : fail(tokens.error());
  }
  options.generate.sampler = options.sampler.over(engine->defaultSampler());
  if (!options.batch.empty())
    return runBatch(*engine, options, inputsOf(options));
  if (options.grammar || options.guesses()) {
    const auto prompt = promptTokens(*engine, options);
    return prompt ? generateScheduled(*engine, *prompt, options) : fail(prompt.error());
  }
  // The vocabulary is read while the weights are on their way.
  std::future<api::Expected<std::vector<int32_t>>> prompt;
  if (options.prompt || options.promptTokens)
    prompt = std::async(std::launch::async, [&] { return promptTokens(*engine, options); });
  auto session = engine->createSession(options.session);
  if (!session)
    return fail(session.error());
  if (options.selfCheck)
    if (const int code = selfCheck(*session); code != LLCUDA_OK)
      return code;
  if (prompt.valid()) {
    auto tokens = prompt.get();
    return tokens ? generateOnce(*engine, *session, std::move(*tokens), options) : fail(tokens.error());
  }
  return options.selfCheck ? LLCUDA_OK : chatLoop(*engine, *session, options);
}

} // namespace
} // namespace llcuda::run

int main(int argc, char** argv) {
  llcuda::endCleanly("llcuda-run");
  auto options = llcuda::run::parseOptions(argc, argv);
  if (const int* code = std::get_if<int>(&options))
    return *code;
  return llcuda::run::run(std::get<llcuda::run::Options>(std::move(options)));
}
