// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "compiler/emit/metadata.h"
#include "compiler/emit/same_plan.h"
#include "compiler/pipeline/compile.h"
#include "compiler/pipeline/prepared_model.h"
#include "runtime/base/output_file.h"
#include "runtime/base/version.h"
#include "runtime/engine/engine.h"

namespace llcuda::pipeline {
namespace {

/// The options with what the engine decides.
CompileOptions optionsFor(const Engine& engine, CompileOptions options) {
  const fb::Engine& metadata = engine.metadata();
  options.maxContext = metadata.max_context();
  options.maxBatch = metadata.max_batch();
  options.keyType = engine.cacheType(fb::KvPart::keys);
  options.valueType = engine.cacheType(fb::KvPart::values);
  options.batchInvariant = metadata.batch_invariant();
  options.referWeights = metadata.weight_sources() != nullptr;
  if (metadata.source_files())
    for (const fb::SourceFile* file : *metadata.source_files()) options.otherInputs.push_back(file->path()->str());
  options.golden = !metadata.golden()           ? GoldenMode::kNone
                   : !metadata.golden_prompts() ? GoldenMode::kDefault
                                                : GoldenMode::kFull;
  return options;
}

std::string bytesOf(const Engine& engine, const fb::Image& image) {
  const auto bytes = engine.image(image);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

emit::KernelImages imagesOf(const Engine& engine) {
  emit::KernelImages images;
  for (const fb::Kernel* kernel : *engine.metadata().kernels()) {
    emit::KernelImage& image = images.kernels[kernel->name()->str()];
    image.registers = kernel->registers();
    image.staticSharedBytes = kernel->static_shared_bytes();
    image.spillBytes = kernel->spill_bytes();
    for (const fb::Image* stored : *kernel->images()) {
      if (stored->kind() == fb::ImageKind::cubin_sm_75)
        image.cubin = bytesOf(engine, *stored);
      if (stored->kind() == fb::ImageKind::ptx_compute_75) {
        image.ptx = bytesOf(engine, *stored);
        image.ptx.pop_back(); // its NUL
      }
      if (stored->kind() == fb::ImageKind::host_x86_64 && images.hostImage.empty())
        images.hostImage = bytesOf(engine, *stored);
    }
  }
  return images;
}

Result<void> checkRefit(const std::string& path, const fb::EngineT& engine, const PreparedModel& prepared,
                        const CompileOptions& options) {
  if (engine.compiler->version != kVersion)
    return unsupported(path, ": was compiled by llcuda ", engine.compiler->version, ", this is ", kVersion,
                       "; compile it again");
  fb::EngineT fresh = emit::planRecord(prepared.plan);
  fresh.model = std::make_unique<fb::ModelT>(modelRecord(prepared, options));
  if (auto same = emit::checkSamePlan(engine, fresh); !same)
    return unsupported(options.input, ": does not fit into ", path, ": ", same.error().message,
                       "; compile an engine of its own");
  return {};
}

} // namespace

Result<CompileReport> refitEngine(const std::string& path, const CompileOptions& given) {
  LLCUDA_ASSIGN_OR_RETURN(const Engine engine, Engine::open(path));
  fb::EngineT record;
  engine.metadata().UnPackTo(&record);
  const CompileOptions options = optionsFor(engine, given);
  const std::vector<InputFile> inputs = identified(inputFiles(options));
  LLCUDA_RETURN_IF_ERROR(checkOutput(options.output, inputs));
  CompileReport report;
  LLCUDA_ASSIGN_OR_RETURN(const PreparedModel prepared, prepareModel(options, report));
  LLCUDA_RETURN_IF_ERROR(checkRefit(path, record, prepared, options));
  LLCUDA_ASSIGN_OR_RETURN(emit::SelfChecks checks, selfChecks(prepared, options));
  LLCUDA_ASSIGN_OR_RETURN(emit::EngineEmitter emitter, engineEmitter(prepared, options, inputs));
  const std::atomic<bool> cancelled = false;
  LLCUDA_RETURN_IF_ERROR(emitter.writeWeights(cancelled));
  report.kernels = record.kernels.size();
  for (const auto& kernel : record.kernels) report.spillBytes += kernel->spill_bytes;
  LLCUDA_RETURN_IF_ERROR(finishEngine(emitter, {*record.compiler, imagesOf(engine), std::move(checks)}, report));
  return report;
}

} // namespace llcuda::pipeline
