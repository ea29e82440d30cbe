// SPDX-License-Identifier: Apache-2.0
#include "tools/compile-options/compile_options.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "codegen/formats/kv_names.h"
#include "tools/model-options/model_options.h"
#include "tools/tool-options/command_line.h"

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

} // namespace

void addCompileOptions(CLI::App& app, pipeline::CompileOptions& options, CompilePlaces& places) {
  options.jobs = std::max(1u, std::thread::hardware_concurrency());
  places.cacheFolder = defaultCacheFolder();
  addModelArgument(app, options.input, std::string("The model: ") + kModelKinds);
  addModelOptions(app, options.open);
  addContextOption(app, options.maxContext,
                   "Positions a sequence may have (default, and 0: the model's, at most 8192)");
  app.add_option("--max-batch", options.maxBatch, "Sequences that may run at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--cache-type-k", options.keyType, "-ctk: encoding of keys: " + kvTypeList())->capture_default_str();
  app.add_option("--cache-type-v", options.valueType, "-ctv: encoding of values")->capture_default_str();
  app.add_option_function<std::string>(
      "--kv-type", [&](const std::string& type) { options.keyType = options.valueType = type; },
      "Encoding of keys and values");
  app.add_option("-j,--jobs", options.jobs, "Processes and threads at a time (default: all processors)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--nvrtc", places.nvrtc, "The NVRTC library, or its folder (default: $LLCUDA_NVRTC, else found)");
  app.add_option("--cache-dir", places.cacheFolder, "Folder of compiled kernels (default: $XDG_CACHE_HOME/llcuda)");
}

void findCompilers(const CompilePlaces& places, pipeline::CompileOptions& options) {
  const fs::path self = fs::read_symlink("/proc/self/exe");
  options.nvrtc = codegen::programSearch(places.nvrtc);
  options.cacheFolder = places.cacheFolder;
  options.workerCommand = {self.string(), "--kernel-worker"};
  options.hostCompiler = findHostCompiler();
}

} // namespace llcuda::tools
