// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/kernel_images.h"

#include <algorithm>

#include "codegen/host/host_compiler.h"
#include "codegen/nvrtc/compile_kernels.h"
#include "compiler/pipeline/tile_file.h"
#include "runtime/base/version.h"

namespace llcuda::pipeline {
namespace {

Result<void> addGpuImages(std::span<const codegen::KernelSpec> specs, const CompileOptions& options,
                          CompiledImages& compiled, CompileReport& report) {
  codegen::KernelCompileOptions kernelOptions{.nvrtc = options.nvrtc,
                                              .cacheFolder = options.cacheFolder,
                                              .workerCommand = options.workerCommand,
                                              .jobs = options.jobs,
                                              .progress = {}};
  if (options.progress)
    kernelOptions.progress = [&](const codegen::KernelProgress& progress) {
      options.progress(Stage::kKernels, progress.done, progress.total);
    };
  LLCUDA_ASSIGN_OR_RETURN(codegen::CompiledKernels kernels, codegen::compileKernels(specs, kernelOptions));
  for (size_t i = 0; i < specs.size(); ++i) {
    codegen::CompiledKernel& kernel = kernels.kernels[i];
    report.spillBytes += kernel.spillBytes;
    compiled.images.kernels[specs[i].name] = {.cubin = std::move(kernel.cubin),
                                              .ptx = std::move(kernel.ptx),
                                              .registers = kernel.registers,
                                              .staticSharedBytes = kernel.staticSharedBytes,
                                              .spillBytes = kernel.spillBytes};
  }
  compiled.compiler.nvrtc = std::move(kernels.nvrtcVersion);
  compiled.compiler.flags = std::move(kernels.flags);
  report.cachedKernels = kernels.cacheHits;
  if (!kernels.cacheWarning.empty())
    report.warnings.push_back(std::move(kernels.cacheWarning));
  return {};
}

Result<void> addHostImage(std::span<const codegen::KernelSpec> specs, const CompileOptions& options,
                          CompiledImages& compiled, CompileReport& report) {
  if (options.hostCompiler.empty())
    return unsupported("the host target needs a C++ compiler: install g++, or set CXX to one");
  codegen::HostCompileOptions hostOptions{
      .compiler = options.hostCompiler, .cacheFolder = options.cacheFolder, .jobs = options.jobs, .progress = {}};
  if (options.progress)
    hostOptions.progress = [&](size_t done, size_t total) { options.progress(Stage::kHostImage, done, total); };
  LLCUDA_ASSIGN_OR_RETURN(codegen::CompiledHostImage image, codegen::compileHostImage(specs, hostOptions));
  compiled.images.hostImage = std::move(image.bytes);
  compiled.compiler.flags.push_back("host: " + image.compilerVersion);
  if (!options.gpuTarget)
    report.cachedKernels = std::min(image.cacheHits, specs.size()); // their table is a unit too
  if (!image.cacheWarning.empty())
    report.warnings.push_back(std::move(image.cacheWarning));
  return {};
}

} // namespace

Result<CompiledImages> makeKernelImages(std::span<const codegen::KernelSpec> specs, const CompileOptions& options,
                                        CompileReport& report) {
  CompiledImages compiled;
  compiled.compiler.version = kVersion;
  report.kernels = specs.size();
  for (const codegen::KernelSpec& spec : specs) compiled.images.kernels[spec.name];
  if (options.gpuTarget)
    LLCUDA_RETURN_IF_ERROR(addGpuImages(specs, options, compiled, report));
  if (options.hostTarget)
    LLCUDA_RETURN_IF_ERROR(addHostImage(specs, options, compiled, report));
  if (!options.tiles.source.empty())
    compiled.compiler.flags.push_back(tilesNote(options.tiles, report.tileRequests));
  return compiled;
}

} // namespace llcuda::pipeline
