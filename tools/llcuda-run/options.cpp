// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/options.h"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <random>

#include <CLI/CLI.hpp>

namespace llcuda::run {
namespace {

constexpr int kUsage = 1;
constexpr int kBadInput = 2;

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

/// The command line before its parts are put together.
struct Raw {
  Options options;
  std::string prompt, file, promptTokens, forceTokens;
  int64_t topK = 40;
  int64_t seed = -1;
};

const std::map<std::string, llcuda_device> kDevices = {
    {"auto", LLCUDA_DEVICE_AUTO}, {"cuda", LLCUDA_DEVICE_CUDA}, {"host", LLCUDA_DEVICE_HOST}};

void addFlags(CLI::App& app, Raw& raw) {
  Options& options = raw.options;
  api::GenerateOptions& generate = options.generate;
  app.add_option("ENGINE", options.engine, "An engine, or a model (.gguf or a folder) to compile first")->required();
  auto* prompt = app.add_option("-p,--prompt", raw.prompt, "Text to continue as it is");
  auto* file = app.add_option("-f,--file", raw.file, "File with the text to continue")->excludes(prompt);
  app.add_option("--prompt-tokens", raw.promptTokens, "Token ids to continue: 504,3575,282")
      ->check(CLI::Validator(checkIds, "IDS"))
      ->excludes(prompt)
      ->excludes(file);
  app.add_option("-n,--predict,--n-predict", generate.maxTokens, "Tokens to generate; -1: until the model stops")
      ->check(CLI::Range(-1, INT32_MAX))
      ->capture_default_str();
  app.add_option("--temp", generate.temperature, "Temperature; 0: always the most likely token")
      ->check(CLI::Range(0.f, 1e6f))
      ->capture_default_str();
  app.add_option("--top-k", raw.topK, "Keep the k most likely tokens; 0: all")
      ->check(CLI::Range(int64_t{-1}, int64_t{INT32_MAX}))
      ->capture_default_str();
  app.add_option("--top-p", generate.topP, "Keep the most likely tokens up to this sum")
      ->check(CLI::Range(0.f, 1.f))
      ->capture_default_str();
  app.add_option("--min-p", generate.minP, "Keep tokens with this share of the best one's probability")
      ->check(CLI::Range(0.f, 1.f))
      ->capture_default_str();
  app.add_option("-s,--seed", raw.seed, "Seed of the sampler; -1: a random one")
      ->check(CLI::Range(int64_t{-1}, INT64_MAX))
      ->capture_default_str();
  app.add_flag("--ignore-eos", generate.ignoreStop, "Do not stop at stop tokens");
  app.add_option("-c,--ctx-size", options.context, "Positions of the context; 0: as many as the engine allows");
  app.add_option("--device", options.session.device, "auto, cuda or host")
      ->transform(CLI::CheckedTransformer(kDevices))
      ->option_text("auto|cuda|host");
  app.add_option("--main-gpu", options.session.deviceIndex, "Which GPU, as CUDA numbers them")
      ->check(CLI::Range(0, 1023));
  app.add_flag("--chat", options.chat, "Put the prompt through the model's chat template");
  app.add_option("--system-prompt", options.systemPrompt, "First message of a chat");
  app.add_option("--chat-template", options.chatTemplate, "Name of the model's template to use, such as tool_use");
  app.add_flag("--json", options.json, "Print one JSON object instead of streaming the text");
  app.add_option("--logprobs", generate.logprobs, "Report this many most likely tokens for each step (with --json)")
      ->check(CLI::Range(0, 1 << 24));
  app.add_option("--force-tokens", raw.forceTokens, "Step through these token ids and report what the model chose")
      ->check(CLI::Validator(checkIds, "IDS"));
  app.add_flag("--self-check", options.selfCheck, "Compare the engine's values with those its compiler recorded");
  app.add_option("--profile", options.profile, "Time every kernel and write what each took to this file (JSON)");
  app.add_flag("--guard", options.session.guard, "Give every buffer an allocation of its own, for memory checkers");
  app.add_option("--weights-from", options.session.weightsFrom,
                 "The model file of an engine that leaves its weights there, or the folder that has it");
  app.set_version_flag("--version", llcuda_version());
}

int usage(const std::string& message) {
  std::cerr << "llcuda-run: " << message << "; see llcuda-run --help\n";
  return kUsage;
}

std::variant<Options, int> combine(const CLI::App& app, Raw& raw) {
  Options& options = raw.options;
  const auto given = [&app](const char* name) { return app.count(name) != 0; };
  options.generate.topK = raw.topK < 0 ? 0 : static_cast<uint32_t>(raw.topK);
  options.generate.seed = raw.seed < 0 ? std::random_device()() : static_cast<uint64_t>(raw.seed);
  options.session.context = options.context;
  if (given("--prompt"))
    options.prompt = raw.prompt;
  if (given("--prompt-tokens"))
    options.promptTokens = *parseIds(raw.promptTokens);
  if (given("--force-tokens"))
    options.generate.forced = *parseIds(raw.forceTokens);
  if (given("--file")) {
    std::ifstream in(raw.file, std::ios::binary);
    options.prompt.emplace(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (!in.good() && !in.eof()) {
      std::cerr << "llcuda-run: " << raw.file << ": cannot be read\n";
      return kBadInput;
    }
  }
  const bool once = options.prompt || options.promptTokens || options.selfCheck;
  if (options.chat && options.promptTokens)
    return usage("--chat needs text, --prompt-tokens gives token ids");
  if ((options.json || options.generate.forced) && !once)
    return usage("--json and --force-tokens need -p, -f or --prompt-tokens");
  options.session.profile = !options.profile.empty();
  if (options.session.profile && !once)
    return usage("--profile needs -p, -f or --prompt-tokens");
  if (!(options.generate.topP > 0))
    return usage("--top-p must be above 0");
  return std::move(options);
}

} // namespace

std::variant<Options, int> parseOptions(int argc, char** argv) {
  CLI::App app("Runs an engine: continues a text, or chats when it is given none");
  Raw raw;
  addFlags(app, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return combine(app, raw);
}

} // namespace llcuda::run
