// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/prepared_model.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <span>

#include "codegen/formats/kv_names.h"
#include "codegen/pack/pack.h"
#include "compiler/ingest/finite_values.h"
#include "compiler/models/family.h"
#include "compiler/models/long_rope_note.h"
#include "compiler/pipeline/golden.h"
#include "compiler/pipeline/run_passes.h"
#include "compiler/pipeline/tile_file.h"
#include "compiler/pipeline/weight_report.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda::pipeline {
namespace {

/// Chunk sizes of the prompt phases: small ones for short prompts, a large one for speed. From 64 rows on several
/// sequences share them.
constexpr int64_t kPromptRows[] = {8, 32, 64, 128, 512};

uint32_t contextOf(const CompileOptions& options, const models::ModelConfig& config, CompileReport& report) {
  if (options.maxContext == 0)
    return std::min(config.trainedContext, kDefaultContext);
  if (options.maxContext > config.trainedContext)
    report.warnings.push_back("the context of " + std::to_string(options.maxContext) + " positions is more than the " +
                              std::to_string(config.trainedContext) + " that the model was trained for");
  return options.maxContext;
}

PipelineOptions pipelineOptions(const CompileOptions& options, uint32_t context, CompileReport& report) {
  PipelineOptions pipeline;
  pipeline.maxContext = context;
  pipeline.maxBatch = options.maxBatch;
  pipeline.skip = options.skipFusions;
  if (!options.batchInvariant)
    pipeline.tiles = codegen::over(options.tiles, codegen::builtInTiles());
  pipeline.tileRequests = &report.tileRequests;
  pipeline.batchInvariant = options.batchInvariant;
  // The linears of 8 and 32 rows divide their inputs: the bits of a row would depend on how its prompt is cut.
  for (const int64_t rows : std::span(kPromptRows).subspan(options.batchInvariant ? 2 : 0))
    if (rows <= context || pipeline.promptRows.empty())
      pipeline.promptRows.push_back(std::min<int64_t>(rows, context));
  return pipeline;
}

/// Launches of the batch-1 decode phase, in all and in the layer that has the most.
void countLaunches(plan::EngineOp plan, CompileReport& report) {
  for (plan::PhaseOp phase : plan.getOps<plan::PhaseOp>()) {
    if (!phase.getFeedsBack() || phase.getRows() != 1)
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
  if (!type || !kvTypeOf(*type))
    return usageError(flag, " ", name, ": the cache can be ", kvTypeList());
  return *type;
}

Result<plan::EngineOp> planOf(mlir::ModuleOp module) {
  const auto engines = module.getOps<plan::EngineOp>();
  if (!llvm::hasSingleElement(engines))
    return internalError("the passes made no plan");
  return *engines.begin();
}

/// Each weight has a layout that holds it; what passes would refuse by GGUF's name is refused by the file's.
Result<void> checkLayouts(mlir::ModuleOp module, const ingest::Checkpoint& checkpoint) {
  Result<void> done;
  module.walk([&](llm::ParameterOp op) {
    const auto type = llvm::dyn_cast<llm::WeightType>(op.getType());
    if (!type || !done)
      return;
    const formats::TensorTypeInfo& encoding = formats::tensorTypeInfo(type.getEncoding());
    if (!encoding.layout)
      done = unsupported("tensor ", checkpoint.title(op.getName()), " is ", encoding.name,
                         ", an encoding that no kernel reads");
    else if (const auto bytes = pack::packedBytes(*encoding.layout, static_cast<uint64_t>(type.getRows()),
                                                  static_cast<uint64_t>(type.getCols()));
             !bytes)
      done = ingest::errorOf(checkpoint, op.getName(), bytes.error());
  });
  return done;
}

models::OpenOptions openOptions(const CompileOptions& options) {
  models::OpenOptions open = options.open;
  open.threads = options.jobs;
  return open;
}

} // namespace

Result<PreparedModel> prepareModel(const CompileOptions& options, CompileReport& report) {
  PreparedModel prepared;
  LLCUDA_ASSIGN_OR_RETURN(prepared.import.keyType, cacheType("--cache-type-k", options.keyType));
  LLCUDA_ASSIGN_OR_RETURN(prepared.import.valueType, cacheType("--cache-type-v", options.valueType));
  if (options.batchInvariant && !options.tiles.source.empty())
    return unsupported("--batch-invariant with the table ", options.tiles.source,
                       ": tiles that were measured for a number of rows change the bits of a row");
  LLCUDA_ASSIGN_OR_RETURN(models::OpenedModel opened, models::openModel(options.input, openOptions(options)));
  report.notes = opened.notes;
  prepared.model = std::make_shared<const models::OpenedModel>(std::move(opened));
  const models::ModelConfig& config = prepared.model->config;
  prepared.import.maxContext = contextOf(options, config, report);
  for (const models::RopeConfig& rope : config.ropes)
    if (std::string note = models::longRopeNote(rope, config.trainedContext, prepared.import.maxContext); !note.empty())
      report.notes.push_back(std::move(note));
  LLCUDA_ASSIGN_OR_RETURN(prepared.text, textSegment(prepared.model->vocabulary, config.vocabulary));
  report.warnings.insert(report.warnings.end(), prepared.text.warnings.begin(), prepared.text.warnings.end());

  prepared.mlirContext = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
  prepared.mlirContext->loadDialect<mlir::func::FuncDialect, llm::LlmDialect, plan::PlanDialect>();
  LLCUDA_ASSIGN_OR_RETURN(prepared.module, models::importModel(prepared.mlirContext.get(), *prepared.model->checkpoint,
                                                               config, prepared.import));
  LLCUDA_RETURN_IF_ERROR(checkLayouts(*prepared.module, *prepared.model->checkpoint));
  LLCUDA_RETURN_IF_ERROR(
      runPasses(*prepared.module, pipelineOptions(options, prepared.import.maxContext, report), options));
  LLCUDA_ASSIGN_OR_RETURN(prepared.plan, planOf(*prepared.module));
  countLaunches(prepared.plan, report);
  for (std::string& note : reencodedWeights(prepared.plan)) report.notes.push_back(std::move(note));
  if (!options.tiles.source.empty())
    report.notes.push_back(tilesNote(options.tiles, report.tileRequests));
  return prepared;
}

static_assert(static_cast<int>(models::Pooling::kUnset) == static_cast<int>(fb::Pooling::unset) &&
              static_cast<int>(models::Pooling::kMean) == static_cast<int>(fb::Pooling::mean) &&
              static_cast<int>(models::Pooling::kLast) == static_cast<int>(fb::Pooling::last) &&
              static_cast<int>(models::Pooling::kCls) == static_cast<int>(fb::Pooling::cls));

fb::ModelT modelRecord(const PreparedModel& prepared, const CompileOptions& options) {
  const models::ModelConfig& config = prepared.model->config;
  fb::ModelT model;
  const models::LayerConfig& layer =
      *std::ranges::find(config.layers, models::LayerKind::kAttention, &models::LayerConfig::kind);
  model.architecture = config.family->architecture;
  model.name = config.name;
  model.source = std::filesystem::path(options.input).filename().string();
  model.layers = static_cast<uint32_t>(config.layers.size());
  model.embedding = config.embedding;
  model.heads = layer.heads;
  model.kv_heads = layer.kvHeads;
  model.head_size = layer.headSize;
  model.feed_forward = layer.feedForward;
  model.vocabulary = config.vocabulary;
  model.trained_context = config.trainedContext;
  model.pooling = static_cast<fb::Pooling>(config.pooling);
  model.encoder = config.bothWays;
  return model;
}

/// Why a model answers what is no number: a weight that is none, or numbers that grow too large.
Error notFinite(const ingest::Checkpoint& checkpoint, const std::string& path) {
  if (const Result<void> finite = ingest::checkFinite(checkpoint); !finite)
    return finite.error();
  return unsupported(path, ": its answers are not finite, though its weights are: they grow too large for f32");
}

Result<emit::SelfChecks> selfChecks(const PreparedModel& prepared, const CompileOptions& options) {
  emit::SelfChecks checks;
  if (options.golden == GoldenMode::kNone)
    return checks;
  checks.tokenizer = prepared.text.vectors;
  if (prepared.model->config.bothWays) // says no tokens
    return checks;
  const std::vector<int32_t> tokens =
      goldenTokens(prepared.text, prepared.model->config.vocabulary, prepared.import.maxContext);
  LLCUDA_ASSIGN_OR_RETURN(checks.golden, goldenForward(prepared.model, prepared.import, tokens, options.jobs));
  for (const fb::TokenProbability& candidate : checks.golden->top)
    if (!std::isfinite(candidate.log_probability()))
      return notFinite(*prepared.model->checkpoint, options.input);
  if (options.golden == GoldenMode::kFull) {
    LLCUDA_ASSIGN_OR_RETURN(checks.prompts,
                            goldenContinuations(prepared.model, prepared.import, prepared.text, options.jobs));
  }
  return checks;
}

Result<emit::EngineEmitter> engineEmitter(const PreparedModel& prepared, const CompileOptions& options,
                                          std::vector<InputFile> inputs) {
  emit::EmitInput input;
  input.plan = prepared.plan;
  input.checkpoint = prepared.model->checkpoint.get();
  input.refersWeights = options.referWeights;
  input.model = modelRecord(prepared, options);
  input.tokenizer = prepared.text.tokenizer;
  input.textConfig = prepared.text.config;
  input.batchInvariant = options.batchInvariant;
  input.threads = options.jobs;
  if (options.progress)
    input.progress = [&](uint64_t done, uint64_t total) { options.progress(Stage::kWeights, done, total); };
  return emit::EngineEmitter::create(std::move(input), options.output, std::move(inputs));
}

Result<void> finishEngine(emit::EngineEmitter& emitter, const emit::EmitResults& results, CompileReport& report) {
  LLCUDA_ASSIGN_OR_RETURN(const emit::EmitSummary summary, emitter.finish(results));
  report.fileBytes = summary.fileBytes;
  report.embeddedWeightBytes = summary.weightBytes;
  report.referencedWeightBytes = summary.referencedBytes;
  return {};
}

} // namespace llcuda::pipeline
