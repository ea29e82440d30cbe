// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-compile/options.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include <CLI/CLI.hpp>

#include "compiler/pipeline/pipeline.h"
#include "runtime/base/version.h"
#include "tools/model-options/model_options.h"

namespace llcuda::tools {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string defaultCacheFolder() {
  if (const std::string folder = environment("XDG_CACHE_HOME"); !folder.empty())
    return folder + "/llcuda";
  if (const std::string home = environment("HOME"); !home.empty())
    return home + "/.cache/llcuda";
  return "";
}

/// $CXX, else the first of the usual compilers on PATH; empty when there is none.
std::string findHostCompiler() {
  if (const std::string compiler = environment("CXX"); !compiler.empty())
    return compiler;
  const std::string path = environment("PATH");
  for (const char* name : {"g++", "c++", "clang++"})
    for (size_t begin = 0, end; begin <= path.size(); begin = end + 1) {
      end = std::min(path.find(':', begin), path.size());
      const fs::path candidate = fs::path(path.substr(begin, end - begin)) / name;
      std::error_code ignored;
      if (fs::is_regular_file(candidate, ignored))
        return candidate.string();
    }
  return "";
}

/// The arguments from the last to the first, as CLI11 wants them; llama.cpp's two-letter flags spelled out.
std::vector<std::string> reversedArguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    const std::string argument = argv[i];
    arguments.push_back(argument == "-ctk" ? "--cache-type-k" : argument == "-ctv" ? "--cache-type-v" : argument);
  }
  return arguments;
}

std::string checkTarget(const std::string& target) {
  return target == "sm_75" || target == "host" ? "" : target + " is not a target; there are sm_75 and host";
}

} // namespace

std::variant<Request, int> parseRequest(int argc, char** argv) {
  Request request;
  pipeline::CompileOptions& options = request.options;
  options.jobs = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::string> targets = {"sm_75"};
  std::string nvrtc;
  std::string cacheFolder = defaultCacheFolder();

  CLI::App app("Compiles a model file into an engine for the NVIDIA T4 (SM 7.5). Needs no GPU.", "llcuda-compile");
  app.set_version_flag("--version", std::string("llcuda-compile ") + kVersion);
  app.add_option("model", options.input, "The model file (.gguf)")->required();
  app.add_option("-o,--output", options.output, "The engine file to write (with --refit: in place)");
  addModelOptions(app, options.open);
  app.add_option("--target", targets, "sm_75 (machine code and PTX for newer GPUs), host (run without a GPU)")
      ->delimiter(',')
      ->check(CLI::Validator(checkTarget, "TARGET"))
      ->capture_default_str();
  app.add_option("-c,--ctx-size", options.maxContext,
                 "Positions a sequence may have (default: the model's, at most 8192)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--max-batch", options.maxBatch, "Sequences that may run at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--cache-type-k", options.keyType, "-ctk: encoding of keys: f16, q8_0, q4_0, q4_1, q5_0, q5_1")
      ->capture_default_str();
  app.add_option("--cache-type-v", options.valueType, "-ctv: encoding of values")->capture_default_str();
  app.add_option_function<std::string>(
      "--kv-type", [&](const std::string& type) { options.keyType = options.valueType = type; },
      "Encoding of keys and values");
  app.add_option("--weights", options.referWeights,
                 "embed: the engine holds its weights; ref: it reads them from the model file when it is loaded")
      ->transform(CLI::CheckedTransformer(std::map<std::string, bool>{{"embed", false}, {"ref", true}}))
      ->option_text("embed|ref");
  app.add_option("--golden", options.golden,
                 "Values for the self-check: none, default (one forward pass), full (and 16 continuations)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, pipeline::GoldenMode>{{"none", pipeline::GoldenMode::kNone},
                                                      {"default", pipeline::GoldenMode::kDefault},
                                                      {"full", pipeline::GoldenMode::kFull}}))
      ->option_text("none|default|full");
  app.add_option("-j,--jobs", options.jobs, "Processes and threads at a time (default: all processors)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--skip-fusion", options.skipFusions, "Leave out a fusion, to measure what it gains; may be repeated")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(pipeline::kFusions), std::end(pipeline::kFusions))));
  app.add_option("--dump-ir-after", options.dumpIrAfter,
                 "Print the IR after this pass, or after all, to standard output");
  app.add_option("--nvrtc", nvrtc, "The NVRTC library, or its folder");
  app.add_option("--cache-dir", cacheFolder, "Folder of compiled kernels (default: $XDG_CACHE_HOME/llcuda)");
  CLI::Option* refit = app.add_option("--refit", request.refit,
                                      "Put the model's weights into this engine, which was compiled for one like it");
  for (const char* decided : {"--target", "--ctx-size", "--max-batch", "--cache-type-k", "--cache-type-v", "--kv-type",
                              "--golden", "--weights"})
    refit->excludes(app.get_option(decided));
  try {
    app.parse(reversedArguments(argc, argv));
    if (options.output.empty() && request.refit.empty())
      throw CLI::RequiredError("--output");
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(ErrorCode::kUsage);
  }

  const fs::path self = fs::read_symlink("/proc/self/exe");
  options.gpuTarget = std::ranges::find(targets, "sm_75") != targets.end();
  options.hostTarget = std::ranges::find(targets, "host") != targets.end();
  options.nvrtc =
      codegen::usualSearch(nvrtc, self.parent_path().string(), environment("VIRTUAL_ENV"), environment("HOME"));
  options.cacheFolder = cacheFolder;
  options.workerCommand = {self.string(), "--kernel-worker"};
  options.hostCompiler = findHostCompiler();
  if (options.output.empty())
    options.output = request.refit;
  return request;
}

} // namespace llcuda::tools
