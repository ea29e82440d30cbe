// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/compile.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <mutex>

#include "codegen/spec/kv_cache.h"
#include "compiler/emit/emit_engine.h"
#include "compiler/emit/kernel_specs.h"
#include "compiler/models/import.h"
#include "compiler/pipeline/golden.h"
#include "compiler/pipeline/kernel_images.h"
#include "compiler/pipeline/run_passes.h"
#include "compiler/pipeline/text_segment.h"
#include "compiler/pipeline/weight_report.h"
#include "compiler/reference/interpreted_model.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda::pipeline {
namespace {

/// Chunk sizes of the prompt phases: small ones for short prompts, a large one for speed.
constexpr int64_t kPromptRows[] = {32, 128, 512};

uint32_t contextOf(const CompileOptions& options, const models::ModelConfig& config, CompileReport& report) {
  if (options.maxContext == 0)
    return std::min(config.trainedContext, kDefaultContext);
  if (options.maxContext > config.trainedContext)
    report.warnings.push_back("the context of " + std::to_string(options.maxContext) + " positions is more than the " +
                              std::to_string(config.trainedContext) + " that the model was trained for");
  return options.maxContext;
}

PipelineOptions pipelineOptions(const CompileOptions& options, uint32_t context) {
  PipelineOptions pipeline;
  pipeline.maxContext = context;
  pipeline.maxBatch = options.maxBatch;
  pipeline.skip = options.skipFusions;
  for (const int64_t rows : kPromptRows)
    if (rows <= context || pipeline.promptRows.empty())
      pipeline.promptRows.push_back(std::min<int64_t>(rows, context));
  return pipeline;
}

fb::ModelT modelRecord(const models::ModelConfig& config, const std::string& input) {
  fb::ModelT model;
  model.architecture = config.architecture;
  model.name = config.name;
  model.source = std::filesystem::path(input).filename().string();
  model.layers = config.layers;
  model.embedding = config.embedding;
  model.heads = config.heads;
  model.kv_heads = config.kvHeads;
  model.head_size = config.headSize;
  model.feed_forward = config.feedForward;
  model.vocabulary = config.vocabulary;
  model.trained_context = config.trainedContext;
  return model;
}

/// Launches of the batch-1 decode phase, in all and in the layer that has the most.
void countLaunches(plan::EngineOp plan, CompileReport& report) {
  for (plan::PhaseOp phase : plan.getOps<plan::PhaseOp>()) {
    if (phase.getKind() != plan::PhaseKind::Decode || phase.getRows() != 1)
      continue;
    std::map<int64_t, uint32_t> layers;
    for (plan::LaunchOp launch : phase.getOps<plan::LaunchOp>()) {
      ++report.decodeLaunches;
      if (launch.getLayer())
        report.launchesPerLayer = std::max(report.launchesPerLayer, ++layers[*launch.getLayer()]);
    }
  }
}

Result<formats::TensorType> cacheType(const char* flag, const std::string& name) {
  const std::optional<formats::TensorType> type = formats::tensorTypeByName(name);
  if (!type || !codegen::kvTypeOf(*type))
    return unsupported(flag, " ", name, ": the cache can be f16, q8_0, q4_0, q4_1, q5_0 and q5_1");
  return *type;
}

models::OpenOptions openOptions(const CompileOptions& options) {
  models::OpenOptions open = options.open;
  open.threads = options.jobs;
  return open;
}

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

Result<plan::EngineOp> planOf(mlir::ModuleOp module) {
  const auto engines = module.getOps<plan::EngineOp>();
  if (!llvm::hasSingleElement(engines))
    return internalError("the passes made no plan");
  return *engines.begin();
}

} // namespace

Result<CompileReport> compileModel(const CompileOptions& given) {
  const CompileOptions options = serialized(given);
  CompileReport report;
  LLCUDA_ASSIGN_OR_RETURN(const formats::TensorType keyType, cacheType("--cache-type-k", options.keyType));
  LLCUDA_ASSIGN_OR_RETURN(const formats::TensorType valueType, cacheType("--cache-type-v", options.valueType));
  LLCUDA_ASSIGN_OR_RETURN(models::OpenedModel opened, models::openModel(options.input, openOptions(options)));
  report.notes = opened.notes;
  const auto model = std::make_shared<const models::OpenedModel>(std::move(opened));
  const models::ModelConfig& config = model->config;
  const uint32_t context = contextOf(options, config, report);
  LLCUDA_ASSIGN_OR_RETURN(const TextSegment text, textSegment(model->vocabulary));

  mlir::MLIRContext mlirContext(mlir::MLIRContext::Threading::DISABLED);
  mlirContext.loadDialect<mlir::func::FuncDialect, llm::LlmDialect, plan::PlanDialect>();
  LLCUDA_ASSIGN_OR_RETURN(auto module,
                          models::importModel(&mlirContext, *model->checkpoint, config,
                                              {.maxContext = context, .keyType = keyType, .valueType = valueType}));
  LLCUDA_RETURN_IF_ERROR(runPasses(*module, pipelineOptions(options, context), options));
  LLCUDA_ASSIGN_OR_RETURN(const plan::EngineOp plan, planOf(*module));
  countLaunches(plan, report);
  for (std::string& note : reencodedWeights(plan)) report.notes.push_back(std::move(note));

  // The interpreter's forward pass runs while the kernels compile.
  auto golden = std::async(std::launch::async, [&] {
    auto result = goldenForward(model, goldenTokens(text, config.vocabulary, context), options.jobs);
    if (options.progress)
      options.progress(Stage::kGolden, 1, 1);
    return result;
  });
  auto images = makeKernelImages(emit::kernelSpecs(plan), options, report);
  auto goldenValues = golden.get();
  if (!images)
    return std::move(images).error();
  if (!goldenValues)
    return std::move(goldenValues).error();
  LLCUDA_RETURN_IF_ERROR(checkCompiledKernels(*module, images->images, options.input));

  emit::EmitInput input;
  input.plan = plan;
  input.findTensor = models::tensorsOf(*model->checkpoint);
  input.compiler = std::move(images->compiler);
  input.model = modelRecord(config, options.input);
  input.images = std::move(images->images);
  input.golden = std::move(*goldenValues);
  input.tokenizer = text.tokenizer;
  input.textConfig = text.config;
  input.threads = options.jobs;
  if (options.progress)
    input.progress = [&](uint64_t done, uint64_t total) { options.progress(Stage::kWeights, done, total); };
  LLCUDA_ASSIGN_OR_RETURN(const emit::EmitSummary summary, emit::emitEngine(input, options.output));
  report.fileBytes = summary.fileBytes;
  return report;
}

} // namespace llcuda::pipeline
