// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <random>

#include "tools/engine-cache/compile_first.h"
#include "tools/tool-options/byte_size.h"
#include "tools/tool-options/command_line.h"
#include "tools/tool-options/prompt_file.h"

namespace llcuda::run {
namespace {

/// "1,2,3" -> {1, 2, 3}; nothing for other text. The empty text is the empty list.
std::optional<std::vector<int32_t>> parseIds(const std::string& text) {
  std::vector<int32_t> ids;
  const char* next = text.data();
  const char* const end = next + text.size();
  while (next != end) {
    int32_t id = 0;
    const auto [stop, error] = std::from_chars(next, end, id);
    if (error != std::errc() || (stop != end && *stop != ',') || stop + 1 == end)
      return std::nullopt;
    ids.push_back(id);
    next = stop == end ? end : stop + 1;
  }
  return ids;
}

std::string checkIds(const std::string& text) {
  return parseIds(text) ? "" : "expected token ids separated by commas, like 504,3575,282";
}

/// By llama.cpp's names.
const std::map<std::string, llcuda_pooling>& poolings() {
  static const std::map<std::string, llcuda_pooling> names = {
      {"mean", LLCUDA_POOLING_MEAN}, {"last", LLCUDA_POOLING_LAST}, {"cls", LLCUDA_POOLING_CLS}};
  return names;
}

/// The command line before its parts are put together.
struct Raw {
  Options options;
  std::string prompt, promptTokens, forceTokens;
  std::string grammar, grammarFile, schema, schemaFile;
  std::vector<std::string> speculation;
  int64_t seed = -1;
  bool ignoresEos = false;
};

void addGrammarFlags(CLI::App& app, Raw& raw) {
  auto* grammar =
      app.add_option("--grammar", raw.grammar, "Grammar of the answer: GBNF, or Lark that begins with %llguidance");
  auto* file = app.add_option("--grammar-file", raw.grammarFile, "File with the grammar of the answer");
  auto* schema = app.add_option("-j,--json-schema", raw.schema, "JSON schema of the answer; {} for any JSON");
  auto* schemaFile =
      app.add_option("--json-schema-file", raw.schemaFile, "File with the JSON schema of the answer (also: -jf)");
  const std::vector<CLI::Option*> all = {grammar, file, schema, schemaFile};
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) all[i]->excludes(all[j]);
}

void addSpeculationFlags(CLI::App& app, Raw& raw) {
  Options& options = raw.options;
  app.add_option("--spec-type", raw.speculation,
                 "Guess tokens ahead, the text stays the same: none (default), ngram-simple (what followed before), "
                 "draft-simple (what --model-draft says; it is meant where that is given), or both with a comma")
      ->delimiter(',')
      ->check(CLI::IsMember({"none", "ngram-simple", "draft-simple"}));
  app.add_option("--model-draft,--spec-draft-model", options.draftModel,
                 "An engine of a smaller model with the same vocabulary, or such a model, that guesses (also: -md)");
  app.add_option("--draft,--draft-n,--draft-max,--spec-draft-n-max", options.draftMax,
                 "Tokens guessed at a time at most (default: 15)")
      ->check(CLI::Range(1, 63));
  app.add_option("--draft-min,--draft-n-min,--spec-draft-n-min", options.draftMin, "Fewer are not guessed (default: 0)")
      ->check(CLI::Range(0, 63));
  app.add_option("--draft-p-min,--spec-draft-p-min", options.draftPMin,
                 "With --model-draft: a token that it finds less likely is no guess (default: 0)")
      ->check(CLI::Range(0.f, 1.f))
      ->needs("--model-draft");
  app.add_option("--spec-ngram-simple-size-n", options.ngramSize,
                 "With --spec-type ngram-simple: tokens that have to have stood there before (default: 3)")
      ->check(CLI::Range(1, 64))
      ->needs("--spec-type");
}

void addFlags(CLI::App& app, Raw& raw) {
  Options& options = raw.options;
  api::GenerateOptions& generate = options.generate;
  tools::addModelArgument(app, options.engine,
                          std::string("An engine, or a model to compile first: ") + tools::kModelKinds);
  auto* prompt = app.add_option("-p,--prompt", raw.prompt, "Text to continue as it is");
  auto* file = app.add_option("-f,--file", options.promptFile, "File with the text to continue")->excludes(prompt);
  app.add_option("--prompt-tokens", raw.promptTokens, "Token ids to continue: 504,3575,282")
      ->check(CLI::Validator(checkIds, "IDS"))
      ->excludes(prompt)
      ->excludes(file);
  app.add_option("-n,--predict,--n-predict", generate.maxTokens, "Tokens to generate; -1: until the model stops")
      ->check(CLI::Range(-1, INT32_MAX))
      ->capture_default_str();
  addSamplerFlags(app, options.sampler);
  addGrammarFlags(app, raw);
  addSpeculationFlags(app, raw);
  app.add_option("-s,--seed", raw.seed, "Seed of the sampler; -1: a random one")
      ->check(CLI::Range(int64_t{-1}, INT64_MAX))
      ->capture_default_str();
  app.add_flag("--ignore-eos", raw.ignoresEos, "Never choose a token that ends a text, and stop at none");
  tools::addContextOption(app, options.context,
                          "Positions of the context (default, and 0: as many as the engine allows)");
  tools::addDeviceOptions(app, options.session.device, options.session.deviceIndex);
  app.add_flag("--chat", options.chat, "Put the prompt through the model's chat template");
  app.add_option("--system-prompt", options.systemPrompt, "First message of a chat");
  app.add_option("--chat-template", options.chatTemplate, "Name of the model's template to use, such as tool_use");
  app.add_flag("--json", options.json, "Print one JSON object instead of streaming the text");
  app.add_option("--logprobs", generate.logprobs, "With --json: report this many most likely tokens for each step")
      ->check(CLI::Range(0, 1 << 24))
      ->needs("--json");
  app.add_option("--force-tokens", raw.forceTokens, "Step through these token ids and report what the model chose")
      ->check(CLI::Validator(checkIds, "IDS"));
  app.add_option("--batch", options.batch,
                 "File of requests, one a line, as OpenAI's batch API takes them; those that -o has are left out")
      ->excludes(prompt)
      ->excludes(file)
      ->excludes("--prompt-tokens");
  app.add_option("-o,--output", options.output, "With --batch: file to which each answer is appended as a line");
  app.add_option("--parallel", options.slots,
                 "With --batch: requests that run at a time (default, and 0: as many as the engine decodes)");
  app.add_flag("--embedding,--embeddings,--embed", options.embedding, "Print the embedding of the prompt, of length 1");
  app.add_option_function<std::string>(
         "--pooling", [&](const std::string& name) { options.pooling = poolings().at(name); },
         "With --embedding: which rows of the prompt it is made of (default: as the model says, else mean)")
      ->check(CLI::IsMember({"mean", "last", "cls"}))
      ->needs("--embedding");
  app.add_flag("--self-check", options.selfCheck, "Compare the engine's values with those its compiler recorded");
  app.add_option("--profile", options.profile, "Time every kernel and write what each took to this file (JSON)");
  app.add_flag("--guard", options.session.guard, "Give every buffer an allocation of its own, for memory checkers");
  tools::addWeightsFromOption(app, options.session.weightsFrom);
  tools::addVerifyOption(app, options.verify);
  app.add_option_function<std::string>(
         "--cache-size", [&](const std::string& size) { options.cacheBytes = tools::parseByteSize(size); },
         "Bytes that the engines compiled for models may take together; the one used longest ago goes (default: 20GiB)")
      ->type_name("SIZE")
      ->check([](const std::string& size) {
        return tools::parseByteSize(size) ? std::string() : size + " is no size, as 20GiB or 800MiB are";
      });
  app.set_version_flag("--version", std::string("llcuda-run ") + llcuda_version());
}

/// The grammar that the flags say, if any.
Result<std::optional<GrammarText>> grammarOf(const CLI::App& app, const Raw& raw) {
  const auto given = [&app](const char* name) { return app.count(name) != 0; };
  if (given("--grammar"))
    return std::optional(grammarText(raw.grammar));
  if (given("--json-schema"))
    return std::optional(GrammarText{LLCUDA_GRAMMAR_JSON_SCHEMA, raw.schema});
  if (given("--grammar-file")) {
    LLCUDA_ASSIGN_OR_RETURN(std::string text, tools::readPromptFile(raw.grammarFile));
    return std::optional(grammarText(std::move(text)));
  }
  if (given("--json-schema-file")) {
    LLCUDA_ASSIGN_OR_RETURN(std::string text, tools::readPromptFile(raw.schemaFile));
    return std::optional(GrammarText{LLCUDA_GRAMMAR_JSON_SCHEMA, std::move(text)});
  }
  return std::optional<GrammarText>();
}

std::variant<Options, int> combine(const CLI::App& app, Raw& raw) {
  Options& options = raw.options;
  const auto given = [&app](const char* name) { return app.count(name) != 0; };
  const uint64_t seed = raw.seed < 0 ? std::random_device()() : static_cast<uint64_t>(raw.seed);
  options.generate.ignoreStop = raw.ignoresEos;
  options.sampler.given.push_back([seed, ignores = raw.ignoresEos](api::Sampler& sampler) {
    sampler.seed = seed;
    sampler.ignoreEos = ignores;
  });
  options.session.context = options.context;
  if (given("--prompt"))
    options.prompt = raw.prompt;
  if (given("--prompt-tokens"))
    options.promptTokens = *parseIds(raw.promptTokens);
  if (given("--force-tokens"))
    options.generate.forced = *parseIds(raw.forceTokens);
  if (given("--file")) {
    Result<std::string> text = tools::readPromptFile(options.promptFile);
    if (!text) {
      std::cerr << "llcuda-run: " << text.error().message << '\n';
      return static_cast<int>(text.error().code);
    }
    options.prompt = *std::move(text);
  }
  Result<std::optional<GrammarText>> grammar = grammarOf(app, raw);
  if (!grammar) {
    std::cerr << "llcuda-run: " << grammar.error().message << '\n';
    return static_cast<int>(grammar.error().code);
  }
  options.grammar = *std::move(grammar);
  const auto usage = [&app](const std::string& sentence) { return tools::wrongUse(app, sentence); };
  const bool asks = options.prompt || options.promptTokens;
  const bool once = asks || options.selfCheck;
  if (options.batch.empty() != options.output.empty())
    return usage(options.batch.empty() ? "-o is for --batch, the answer goes to standard output"
                                       : "--batch needs -o, the file for the answers");
  for (const char* flag : {"--chat", "--json", "--force-tokens", "--profile", "--self-check", "--guard"})
    if (given(flag) && !options.batch.empty())
      return usage(std::string(flag) + " is not for --batch");
  if (options.grammar && !options.batch.empty())
    return usage("grammars are not for --batch: each of its requests has its own");
  if (options.grammar && !asks)
    return usage("a grammar needs -p, -f or --prompt-tokens");
  for (const char* flag : {"--force-tokens", "--profile", "--self-check", "--guard", "--embedding"})
    if (given(flag) && options.grammar)
      return usage(std::string(flag) + " is not for an answer with a grammar");
  const auto says = [&](const char* type) { return std::ranges::find(raw.speculation, type) != raw.speculation.end(); };
  if (says("ngram-simple"))
    options.speculation = LLCUDA_SPECULATION_NGRAM;
  if (says("none") && raw.speculation.size() > 1)
    return usage("--spec-type none stands alone");
  if (says("draft-simple") && options.draftModel.empty())
    return usage("--spec-type draft-simple needs --model-draft");
  const std::string guesser = options.speculation == LLCUDA_SPECULATION_NONE ? "--model-draft" : "--spec-type";
  for (const char* flag : {"--draft", "--draft-min"})
    if (given(flag) && !options.guesses())
      return usage(std::string(flag) + " needs --spec-type or --model-draft");
  if (options.guesses() && !asks && options.batch.empty())
    return usage(guesser + " needs -p, -f, --prompt-tokens or --batch");
  for (const char* flag : {"--force-tokens", "--profile", "--self-check", "--guard", "--embedding"})
    if (given(flag) && options.guesses())
      return usage(std::string(flag) + " is not for " + guesser);
  if (given("--parallel") && options.batch.empty())
    return usage("--parallel is for --batch");
  if (options.chat && options.promptTokens)
    return usage("--chat needs text, --prompt-tokens gives token ids");
  for (const char* flag : {"--chat", "--logprobs", "--force-tokens", "--batch", "--profile", "--self-check", "--guard"})
    if (given(flag) && options.embedding)
      return usage(std::string(flag) + " is not for --embedding");
  for (const char* flag : {"--json", "--force-tokens", "--profile", "--embedding"})
    if (given(flag) && !asks)
      return usage(std::string(flag) + " needs -p, -f or --prompt-tokens");
  for (const char* flag : {"--chat-template", "--system-prompt"})
    if (given(flag) && once && !options.chat)
      return usage(std::string(flag) + " needs --chat: the prompt is continued as it is");
  if (options.chat && once && !asks)
    return usage("--chat needs -p or -f beside --self-check");
  options.session.profile = !options.profile.empty();
  if (given("--cache-size") && !tools::isModel(options.engine))
    return usage("--cache-size is for models, which are compiled first; " + options.engine + " is an engine");
  return std::move(options);
}

} // namespace

std::variant<Options, int> parseOptions(int argc, char** argv) {
  CLI::App app("Runs an engine: continues a text, or chats when it is given none", "llcuda-run");
  Raw raw;
  addFlags(app, raw);
  // -jf would be -j with the value f, -md would be -m.
  std::string schemaFile = "--json-schema-file", draft = "--model-draft";
  std::vector<char*> arguments(argv, argv + argc);
  for (char*& argument : arguments)
    if (std::string_view(argument) == "-jf")
      argument = schemaFile.data();
    else if (std::string_view(argument) == "-md")
      argument = draft.data();
  if (const std::optional<int> code = tools::parseCommandLine(app, argc, arguments.data()))
    return *code;
  return combine(app, raw);
}

api::SchedulerOptions schedulerOptions(const Options& options, uint32_t slots) {
  api::SchedulerOptions scheduler;
  scheduler.device = options.session.device;
  scheduler.deviceIndex = options.session.deviceIndex;
  scheduler.context = options.session.context;
  scheduler.slots = slots;
  scheduler.weightsFrom = options.session.weightsFrom;
  scheduler.log = options.session.log;
  scheduler.speculation = options.speculation;
  scheduler.draftMax = options.draftMax;
  scheduler.draftMin = options.draftMin;
  scheduler.ngramSize = options.ngramSize;
  scheduler.draftPMin = options.draftPMin;
  scheduler.draftEngine = options.draft;
  return scheduler;
}

} // namespace llcuda::run
