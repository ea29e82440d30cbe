// SPDX-License-Identifier: Apache-2.0
// llcuda-compile: a model file in, an engine file out.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>

#include <unistd.h>

#include "codegen/nvrtc/kernel_worker.h"
#include "runtime/base/clean_end.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/memory_plan.h"
#include "tools/compile-options/progress.h"
#include "tools/llcuda-compile/options.h"

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
Result<void> summarize(const pipeline::CompileOptions& options, const pipeline::CompileReport& report, double seconds) {
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
  return {};
}

int run(Request request) {
  pipeline::CompileOptions& options = request.options;
  const auto start = std::chrono::steady_clock::now();
  ProgressLine progress(::isatty(STDERR_FILENO) == 1);
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
  if (const Result<void> shown = summarize(options, *report, seconds.count()); !shown)
    return fail(shown.error());
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
