// SPDX-License-Identifier: Apache-2.0
// Measures an engine with llama-bench's flags and JSON keys. The table goes to standard output, all else to standard
// error.
#include <algorithm>
#include <charconv>
#include <iostream>

#include "runtime/base/clean_end.h"
#include "tools/llcuda-bench/batched.h"
#include "tools/llcuda-bench/bench.h"
#include "tools/llcuda-bench/mixed.h"
#include "tools/tool-options/byte_size.h"
#include "tools/tool-options/command_line.h"

namespace llcuda::bench {
namespace {

struct Options {
  std::string engine;
  std::vector<uint32_t> prompts = {512}, generates = {128}, depths = {0};
  uint32_t repetitions = 5;
  std::string output = "md";
  std::vector<std::string> promptsThenGenerates; ///< "512,128"
  bool flashAttention = true;
  api::SessionOptions session;
  Verify verify = Verify::kFull;
  bool batched = false, mixed = false;
  BatchedGrid grid;
  std::string cacheBytes; ///< of --batched and --mixed, or empty
};

void addFlags(CLI::App& app, Options& options) {
  const auto counts = CLI::Range(0u, 1u << 24);
  tools::addModelArgument(app, options.engine, "The engine");
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
  tools::addContextOption(app, options.session.context, "Positions of the cache (default, and 0: those of the tests)");
  tools::addDeviceOptions(app, options.session.device, options.session.deviceIndex);
  tools::addWeightsFromOption(app, options.session.weightsFrom);
  tools::addVerifyOption(app, options.verify);
  app.add_option("--graphs", options.session.graphs, "1: a step is one graph; 0: kernels are launched one by one")
      ->capture_default_str();
  app.add_option("--flash-attn", options.flashAttention, "-fa: 1, the only kind of attention that engines have")
      ->capture_default_str();
  app.add_flag("--batched", options.batched, "Decode several sequences at a time, as llama-batched-bench does");
  app.add_flag("--mixed", options.mixed,
               "Six sequences of other lengths, two of which come while the others decode, beside each of them alone")
      ->excludes("--batched");
  const auto addGrid = [&](const char* flag, std::vector<uint32_t>& counts, const char* description) {
    app.add_option(flag, counts, description)->delimiter(',')->needs("--batched");
  };
  addGrid("--npp", options.grid.prompts, "With --batched: prompt tokens of a sequence");
  addGrid("--ntg", options.grid.generates, "With --batched: tokens that each sequence gets");
  addGrid("--npl", options.grid.sequences, "With --batched: sequences at a time");
  app.add_option(
      "--cache-bytes", options.cacheBytes,
      "With --batched or --mixed: memory of the KV cache, as 4GiB (default: what is free less 256 MiB, and no "
      "more than the sequences can use)");
  for (const char* flag : {"--n-prompt", "--n-gen", "--n-depth", "--prompt-gen", "--repetitions", "--ctx-size"})
    app.get_option(flag)->excludes("--batched")->excludes("--mixed");
  app.set_version_flag("--version", std::string("llcuda-bench ") + llcuda_version());
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

int runSequences(Options options) {
  options.session.log = [](llcuda_log_level, std::string_view line) { std::cerr << line << '\n'; };
  if (!options.cacheBytes.empty()) {
    const std::optional<uint64_t> bytes = tools::parseByteSize(options.cacheBytes);
    if (!bytes || *bytes == 0)
      return fail(usageError("--cache-bytes ", options.cacheBytes, " is no size, as 4GiB or 512MiB are"));
    options.grid.cacheBytes = *bytes;
  }
  const auto table =
      options.mixed
          ? mixedTable(options.engine, options.verify, options.session, options.grid.cacheBytes, options.output)
          : batchedTable(options.engine, options.verify, options.session, options.grid, options.output);
  if (!table)
    return fail(table.error());
  std::cout << *table << std::flush;
  return std::cout.good() ? LLCUDA_OK : fail(api::Error{LLCUDA_INTERNAL, "standard output cannot be written"});
}

int run(Options options) {
  if (!options.flashAttention)
    return fail(unsupported("-fa 0: engines have flash attention alone"));
  if (options.batched || options.mixed)
    return runSequences(std::move(options));
  if (!options.cacheBytes.empty())
    return fail(usageError("--cache-bytes is for --batched and --mixed"));
  const Result<std::vector<Test>> tests = testsOf(options);
  if (!tests)
    return fail(tests.error());
  auto engine = api::Engine::open(options.engine, static_cast<llcuda_verify>(options.verify));
  if (!engine)
    return fail(engine.error());
  uint32_t needed = 0;
  for (const Test& test : *tests) needed = std::max(needed, test.context());
  if (needed > engine->info().max_context)
    return fail(usageError("the tests need ", needed, " positions, the engine has ", engine->info().max_context,
                           "; compile it with a larger -c"));
  if (options.session.context != 0 && options.session.context < needed)
    return fail(usageError("the tests need ", needed, " positions, -c gives ", options.session.context));
  options.session.context = std::max(options.session.context, needed);
  options.session.log = [](llcuda_log_level, std::string_view line) { std::cerr << line << '\n'; };
  options.session.allKernels = true;
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
  llcuda::endCleanly("llcuda-bench");
  CLI::App app("Measures an engine's prompt and decode speed", "llcuda-bench");
  llcuda::bench::Options options;
  llcuda::bench::addFlags(app, options);
  if (const std::optional<int> code = llcuda::tools::parseCommandLine(app, argc, argv))
    return *code;
  return llcuda::bench::run(std::move(options));
}
