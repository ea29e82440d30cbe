// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-compile/options.h"

#include <algorithm>
#include <iostream>
#include <map>

#include "compiler/pipeline/pipeline.h"
#include "compiler/pipeline/tile_file.h"
#include "runtime/base/version.h"
#include "tools/compile-options/compile_options.h"
#include "tools/tool-options/command_line.h"

namespace llcuda::tools {
namespace {

std::string checkTarget(const std::string& target) {
  return target == "sm_75" || target == "host" ? "" : target + " is not a target; there are sm_75 and host";
}

/// The words of the command line without those that change nothing in the engine.
std::vector<std::string> decidingWords(int argc, char** argv) {
  constexpr std::string_view kOthers[] = {"-j", "--jobs", "--progress", "--report", "--cache-dir", "--nvrtc"};
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view name = word.substr(0, word.find('='));
    if (std::ranges::find(kOthers, name) == std::end(kOthers))
      words.emplace_back(word);
    else if (name == word)
      ++i; // its value
  }
  return words;
}

} // namespace

std::variant<Request, int> parseRequest(int argc, char** argv) {
  Request request;
  pipeline::CompileOptions& options = request.options;
  CompilePlaces places;
  std::vector<std::string> targets = {"sm_75"};
  std::string tiles;

  CLI::App app("Compiles a model into an engine for the NVIDIA T4 (SM 7.5). Needs no GPU.", "llcuda-compile");
  app.set_version_flag("--version", std::string("llcuda-compile ") + kVersion);
  addCompileOptions(app, options, places);
  app.add_option("-o,--output", options.output, "The engine file to write (with --refit: in place)");
  CLI::Option* intoCache = app.add_flag("--into-cache", request.intoCache,
                                        "Write the engine to the cache ($XDG_CACHE_HOME/llcuda/engines) under a name "
                                        "of what it is made of, unless it is there; --report says where");
  request.progress = usualProgress();
  addChoice(app, "--progress", request.progress,
            {{"none", ProgressForm::kNone}, {"line", ProgressForm::kLine}, {"json", ProgressForm::kJson}},
            "How far it is, on standard error (default: line on a terminal, else none); json: an object a line");
  app.add_option("--report", request.report, "Write what was made as JSON; -: to standard output")->type_name("FILE");
  app.add_option("--target", targets, "sm_75 (machine code and PTX for newer GPUs), host (run without a GPU)")
      ->delimiter(',')
      ->check(CLI::Validator(checkTarget, "TARGET"))
      ->capture_default_str();
  addChoice(app, "--weights", options.referWeights, {{"embed", false}, {"ref", true}},
            "embed: the engine holds its weights; ref: it reads them from the model file when it is loaded");
  addChoice(app, "--golden", options.golden,
            {{"none", pipeline::GoldenMode::kNone},
             {"default", pipeline::GoldenMode::kDefault},
             {"full", pipeline::GoldenMode::kFull}},
            "Values for the self-check: none, default (one forward pass), full (and 16 continuations)");
  app.add_flag(
      "--batch-invariant", options.batchInvariant,
      "A row's bits depend on its own tokens alone, not on the batch or the cut of its prompt: among batches of up "
      "to 8 sequences and among larger ones; with --refit: as the engine was compiled");
  app.add_option("--skip-fusion", options.skipFusions, "Leave out a fusion, to measure what it gains; may be repeated")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(pipeline::kFusions), std::end(pipeline::kFusions))));
  app.add_option("--dump-ir-after", options.dumpIrAfter,
                 "Print the IR after this pass, or after all, to standard output");
  app.add_option("--tiles", tiles,
                 "Take tiles of linears from this table of llcuda-tune; with --refit: the engine's table")
      ->type_name("FILE");
  CLI::Option* refit = app.add_option("--refit", request.refit,
                                      "Put the model's weights into this engine, which was compiled for one like it");
  for (const char* decided : {"--target", "--ctx-size", "--max-batch", "--cache-type-k", "--cache-type-v", "--kv-type",
                              "--golden", "--weights"})
    refit->excludes(app.get_option(decided));
  intoCache->excludes(refit)->excludes(app.get_option("--output"));
  if (const std::optional<int> code = parseCommandLine(app, argc, argv))
    return *code;
  if (options.output.empty() && request.refit.empty() && !request.intoCache)
    return wrongUse(app, "--output or --into-cache is required");
  if (request.report == "-" && !options.dumpIrAfter.empty())
    return wrongUse(app, "--report - and --dump-ir-after both write to standard output");
  if (request.intoCache)
    request.cacheFlags = decidingWords(argc, argv);
  if (app.count("--nvrtc") != 0 && std::ranges::find(targets, "sm_75") == targets.end())
    return wrongUse(app, "--nvrtc is for the target sm_75");

  if (!tiles.empty()) {
    auto table = pipeline::readTiles(tiles);
    if (!table) {
      std::cerr << "llcuda-compile: " << table.error().message << '\n';
      return static_cast<int>(table.error().code);
    }
    options.tiles = std::move(*table);
    options.otherInputs.push_back(tiles);
  }
  options.gpuTarget = std::ranges::find(targets, "sm_75") != targets.end();
  options.hostTarget = std::ranges::find(targets, "host") != targets.end();
  findCompilers(places, options);
  if (options.output.empty())
    options.output = request.refit;
  return request;
}

} // namespace llcuda::tools
