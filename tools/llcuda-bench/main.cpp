// SPDX-License-Identifier: Apache-2.0
// Measures an engine with llama-bench's flags and JSON keys. The table goes to standard output, all else to standard
// error.
#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>

#include <CLI/CLI.hpp>

#include "tools/llcuda-bench/batched.h"
#include "tools/llcuda-bench/bench.h"

namespace llcuda::bench {
namespace {

constexpr int kUsage = 1;

struct Options {
  std::string engine;
  std::vector<uint32_t> prompts = {512}, generates = {128}, depths = {0};
  uint32_t repetitions = 5;
  std::string output = "md";
  std::vector<std::string> promptsThenGenerates; ///< "512,128"
  bool flashAttention = true;
  api::SessionOptions session;
  bool batched = false;
  BatchedGrid grid;
};

void addFlags(CLI::App& app, Options& options) {
  const auto counts = CLI::Range(0u, 1u << 24);
  app.add_option("-m,--model", options.engine, "The engine")->required();
  app.add_option("-p,--n-prompt", options.prompts, "Prompt lengths, separated by commas; 0: none")
      ->delimiter(',')
      ->check(counts)
      ->capture_default_str();
  app.add_option("-n,--n-gen", options.generates, "Numbers of tokens to generate; 0: none")
      ->delimiter(',')
      ->check(counts)
      ->capture_default_str();
  app.add_option("-d,--n-depth", options.depths, "Tokens in the cache before")
      ->delimiter(',')
      ->check(counts)
      ->capture_default_str();
  app.add_option("--prompt-gen", options.promptsThenGenerates,
                 "-pg: PROMPT,GENERATE: both, timed as one test; may be given again")
      ->allow_extra_args(false);
  app.add_option("-r,--repetitions", options.repetitions, "Times that each test is measured")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("-o,--output", options.output, "md, json, or jsonl (an object a line)")
      ->check(CLI::IsMember({"md", "json", "jsonl"}))
      ->capture_default_str();
  app.add_option("--device", options.session.device, "auto, cuda or host")
      ->transform(CLI::CheckedTransformer(std::map<std::string, llcuda_device>{
          {"auto", LLCUDA_DEVICE_AUTO}, {"cuda", LLCUDA_DEVICE_CUDA}, {"host", LLCUDA_DEVICE_HOST}}))
      ->option_text("auto|cuda|host");
  app.add_option("--main-gpu", options.session.deviceIndex, "Which GPU, as CUDA numbers them")
      ->check(CLI::Range(0, 1023));
  app.add_option("--weights-from", options.session.weightsFrom,
                 "The model file of an engine that leaves its weights there, or the folder that has it");
  app.add_option("--graphs", options.session.graphs, "1: a step is one graph; 0: kernels are launched one by one")
      ->capture_default_str();
  app.add_option("--flash-attn", options.flashAttention, "-fa: 1, the only kind of attention that engines have")
      ->capture_default_str();
  app.add_flag("--batched", options.batched, "Decode several sequences at a time, as llama-batched-bench does");
  app.add_option("--npp", options.grid.prompts, "With --batched: prompt tokens of a sequence")->delimiter(',');
  app.add_option("--ntg", options.grid.generates, "With --batched: tokens that each sequence gets")->delimiter(',');
  app.add_option("--npl", options.grid.sequences, "With --batched: sequences at a time")->delimiter(',');
  app.set_version_flag("--version", llcuda_version());
}

/// CLI11 knows no short option of two letters, llama-bench has some.
std::vector<std::string> argumentsOf(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) { // in the order that CLI11 takes them
    const std::string argument = argv[i];
    arguments.push_back(argument == "-fa" ? "--flash-attn" : argument == "-pg" ? "--prompt-gen" : argument);
  }
  return arguments;
}

Result<Test> promptThenGenerate(const std::string& text, uint32_t depth) {
  constexpr uint32_t kMax = 1u << 24;
  Test test{0, 0, depth};
  const char* end = text.data() + text.size();
  const auto [comma, promptError] = std::from_chars(text.data(), end, test.prompt);
  if (promptError == std::errc() && comma != end && *comma == ',') {
    const auto [rest, generateError] = std::from_chars(comma + 1, end, test.generate);
    if (generateError == std::errc() && rest == end && test.prompt - 1 < kMax && test.generate - 1 < kMax)
      return test;
  }
  return usageError("-pg ", text, " is not PROMPT,GENERATE, two counts of 1 to ", kMax);
}

Result<std::vector<Test>> testsOf(const Options& options) {
  std::vector<Test> tests;
  for (uint32_t depth : options.depths) {
    for (uint32_t prompt : options.prompts)
      if (prompt != 0)
        tests.push_back({prompt, 0, depth});
    for (uint32_t generate : options.generates)
      if (generate != 0)
        tests.push_back({0, generate, depth});
    for (const std::string& pair : options.promptsThenGenerates) {
      LLCUDA_ASSIGN_OR_RETURN(const Test test, promptThenGenerate(pair, depth));
      tests.push_back(test);
    }
  }
  if (tests.empty())
    return usageError("nothing to measure: -p and -n are 0");
  return tests;
}

int fail(const api::Error& error) {
  std::cerr << "llcuda-bench: " << error.message << '\n';
  return error.status;
}

int fail(const Error& error) {
  return fail(api::Error{static_cast<llcuda_status>(error.code), error.message});
}

int runBatched(const Options& options) {
  const auto table = batchedTable(options.engine, options.session, options.grid, options.output);
  if (!table)
    return fail(table.error());
  std::cout << *table << std::flush;
  return std::cout.good() ? LLCUDA_OK : fail(api::Error{LLCUDA_INTERNAL, "standard output cannot be written"});
}

int run(Options options) {
  if (!options.flashAttention)
    return fail(unsupported("-fa 0: engines have flash attention alone"));
  if (options.batched)
    return runBatched(options);
  const Result<std::vector<Test>> tests = testsOf(options);
  if (!tests)
    return fail(tests.error());
  auto engine = api::Engine::open(options.engine);
  if (!engine)
    return fail(engine.error());
  for (const Test& test : *tests) options.session.context = std::max(options.session.context, test.context());
  if (options.session.context > engine->info().max_context)
    return fail(api::Error{LLCUDA_USAGE,
                           "the tests need " + std::to_string(options.session.context) + " positions, the engine has " +
                               std::to_string(engine->info().max_context) + "; compile it with a larger -c"});
  options.session.log = [](llcuda_log_level, std::string_view line) { std::cerr << line << '\n'; };
  auto session = engine->createSession(options.session);
  if (!session)
    return fail(session.error());
  std::vector<Measured> rows;
  for (const Test& test : *tests) {
    auto row = measure(*session, engine->info().vocabulary, test, options.repetitions);
    if (!row)
      return fail(row.error());
    rows.push_back(std::move(*row));
  }
  const Subject subject{options.engine, engine->info(), session->info()};
  std::cout << table(subject, rows, options.output) << std::flush;
  return std::cout.good() ? LLCUDA_OK : fail(api::Error{LLCUDA_INTERNAL, "standard output cannot be written"});
}

} // namespace
} // namespace llcuda::bench

int main(int argc, char** argv) {
  CLI::App app("Measures an engine's prompt and decode speed");
  llcuda::bench::Options options;
  llcuda::bench::addFlags(app, options);
  try {
    app.parse(llcuda::bench::argumentsOf(argc, argv));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : llcuda::bench::kUsage;
  }
  return llcuda::bench::run(std::move(options));
}
