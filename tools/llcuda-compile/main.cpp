// SPDX-License-Identifier: Apache-2.0
// llcuda-compile: a model file in, an engine file out.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "codegen/nvrtc/kernel_worker.h"
#include "runtime/base/clean_end.h"
#include "runtime/base/output_file.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/memory_plan.h"
#include "tools/compile-options/progress.h"
#include "tools/engine-cache/engine_cache.h"
#include "tools/llcuda-compile/options.h"
#include "tools/llcuda-compile/report.h"

namespace llcuda::tools {
namespace {

int fail(const Error& error) {
  std::cerr << "llcuda-compile: " << error.message << '\n';
  return static_cast<int>(error.code);
}

double mebibytes(uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

/// Opens what was written, as the runtime will, and says what it needs.
Result<void> summarize(const Request& request, const pipeline::CompileReport& report, double seconds) {
  const pipeline::CompileOptions& options = request.options;
  LLCUDA_ASSIGN_OR_RETURN(const Engine engine, Engine::open(options.output));
  const uint32_t context = engine.metadata().max_context();
  const uint32_t slots = engine.metadata().max_batch();
  const MemoryPlan memory = memoryPlan(engine, context, slots);
  std::fprintf(stderr, "%s: %.1f MiB in %.1f s; %zu kernels (%zu from the cache), %llu bytes spilled\n",
               options.output.c_str(), mebibytes(report.fileBytes), seconds, report.kernels, report.cachedKernels,
               static_cast<unsigned long long>(report.spillBytes));
  if (report.referencedWeightBytes != 0)
    std::fprintf(stderr, "weights: %llu bytes stay in their files, %llu bytes were computed and are embedded\n",
                 static_cast<unsigned long long>(report.referencedWeightBytes),
                 static_cast<unsigned long long>(report.embeddedWeightBytes));
  std::fprintf(stderr, "decode: %u launches a token, %u a layer\n", report.decodeLaunches, report.launchesPerLayer);
  std::fprintf(stderr,
               "device memory at -c %u, %u sequence(s): %llu bytes (%.1f MiB weights, %.1f MiB KV cache, %.1f MiB "
               "buffers)\n",
               context, slots, static_cast<unsigned long long>(memory.total()), mebibytes(memory.shared()),
               mebibytes(memory.kv), mebibytes(memory.arena + memory.io + memory.counters));
  return writeReport(request.report, reportJson(engine, options.output, &report, seconds));
}

/// The engine's path in the cache; with `found` when it is there.
Result<std::string> placeInCache(const Request& request, bool& found) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string folder, engineCacheFolder());
  std::error_code error;
  LLCUDA_ASSIGN_OR_RETURN(const std::string name,
                          cachedEngineName(request.options.input, pipeline::inputFiles(request.options),
                                           std::filesystem::read_symlink("/proc/self/exe", error).string(),
                                           request.cacheFlags));
  const std::filesystem::path engine = std::filesystem::path(folder) / name;
  found = std::filesystem::exists(engine, error);
  if (found)
    keepCacheSmall(folder, engine.string(), kEngineCacheBytes);
  return engine.string();
}

Result<void> reportCached(const Request& request) {
  const std::string& path = request.options.output;
  LLCUDA_ASSIGN_OR_RETURN(const Engine engine, Engine::open(path));
  std::fprintf(stderr, "%s: was compiled before\n", path.c_str());
  return writeReport(request.report, reportJson(engine, path, nullptr, 0));
}

int run(Request request) {
  pipeline::CompileOptions& options = request.options;
  const auto start = std::chrono::steady_clock::now();
  if (request.intoCache) {
    bool found = false;
    Result<std::string> place = placeInCache(request, found);
    if (!place)
      return fail(place.error());
    options.output = std::move(*place);
    if (found) {
      const Result<void> reported = reportCached(request);
      return reported ? 0 : fail(reported.error());
    }
  }
  if (!request.report.empty() && request.report != "-")
    if (const Result<void> allowed = checkOutput(request.report, identified(pipeline::inputFiles(options))); !allowed)
      return fail(allowed.error());
  ProgressLine progress(request.progress);
  options.progress = [&](pipeline::Stage stage, uint64_t done, uint64_t total) { progress.update(stage, done, total); };
  options.dumpSink = [](std::string_view text) { std::cout << text; };
  const Result<pipeline::CompileReport> report =
      request.refit.empty() ? pipeline::compileModel(options) : pipeline::refitEngine(request.refit, options);
  progress.clear();
  if (!report)
    return fail(report.error());
  for (const std::string& note : report->notes) std::cerr << "note: " << note << '\n';
  for (const std::string& warning : report->warnings) std::cerr << "warning: " << warning << '\n';
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (const Result<void> shown = summarize(request, *report, seconds.count()); !shown)
    return fail(shown.error());
  if (request.intoCache)
    keepCacheSmall(std::filesystem::path(options.output).parent_path().string(), options.output, kEngineCacheBytes);
  return 0;
}

} // namespace
} // namespace llcuda::tools

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--kernel-worker") == 0)
    return llcuda::codegen::runKernelWorker(llcuda::codegen::kWorkerDescriptor);
  llcuda::endCleanly("llcuda-compile");
  auto request = llcuda::tools::parseRequest(argc, argv);
  if (const int* code = std::get_if<int>(&request))
    return *code;
  return llcuda::tools::run(std::get<llcuda::tools::Request>(std::move(request)));
}
