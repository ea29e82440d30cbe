// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/compile.h"

#include <atomic>
#include <future>
#include <mutex>

#include "compiler/emit/kernel_specs.h"
#include "compiler/ingest/input_files.h"
#include "compiler/pipeline/kernel_images.h"
#include "compiler/pipeline/prepared_model.h"
#include "compiler/pipeline/run_passes.h"
#include "runtime/base/output_file.h"

namespace llcuda::pipeline {
namespace {

/// Makes progress calls come one at a time, whichever thread they come from.
CompileOptions serialized(CompileOptions options) {
  if (options.progress)
    options.progress = [inner = options.progress, lock = std::make_shared<std::mutex>()](Stage stage, uint64_t done,
                                                                                         uint64_t total) {
      const std::lock_guard guard(*lock);
      inner(stage, done, total);
    };
  return options;
}

} // namespace

std::vector<std::string> inputFiles(const CompileOptions& options) {
  std::vector<std::string> paths = options.otherInputs;
  const auto add = [&](const std::string& path) {
    const std::vector<std::string> files = ingest::inputFiles(path);
    paths.insert(paths.end(), files.begin(), files.end());
  };
  add(options.input);
  for (const models::AdapterOption& adapter : options.open.adapters) add(adapter.folder);
  if (!options.open.base.empty())
    add(options.open.base);
  if (!options.open.tokenizer.empty())
    add(options.open.tokenizer);
  return paths;
}

Result<CompileReport> compileModel(const CompileOptions& given) {
  const CompileOptions options = serialized(given);
  const std::vector<InputFile> inputs = identified(inputFiles(options));
  LLCUDA_RETURN_IF_ERROR(checkOutput(options.output, inputs));
  CompileReport report;
  LLCUDA_ASSIGN_OR_RETURN(const PreparedModel prepared, prepareModel(options, report));

  LLCUDA_ASSIGN_OR_RETURN(emit::EngineEmitter emitter, engineEmitter(prepared, options, inputs));
  const std::vector<codegen::KernelSpec> specs = emit::kernelSpecs(prepared.plan);

  // Weights are packed and written, and the interpreter's forward pass runs, while the kernels compile.
  std::atomic<bool> failed = false;
  auto weights = std::async(std::launch::async, [&] { return emitter.writeWeights(failed); });
  auto interpreted = std::async(std::launch::async, [&] {
    auto checks = selfChecks(prepared, options);
    failed = failed || !checks;
    if (options.progress)
      options.progress(Stage::kGolden, 1, 1);
    return checks;
  });
  auto images = makeKernelImages(specs, options, report);
  failed = failed || !images;
  auto checks = interpreted.get();
  auto written = weights.get();
  if (!images)
    return std::move(images).error();
  if (!checks)
    return std::move(checks).error();
  LLCUDA_RETURN_IF_ERROR(written);
  LLCUDA_RETURN_IF_ERROR(checkCompiledKernels(*prepared.module, images->images, options.input));
  LLCUDA_RETURN_IF_ERROR(
      finishEngine(emitter, {std::move(images->compiler), std::move(images->images), std::move(*checks)}, report));
  return report;
}

} // namespace llcuda::pipeline
