// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/metadata.h"

#include "compiler/emit/kernel_specs.h"
#include "runtime/schema/engine_file.h"
#include "runtime/schema/engine_hash.h"
#include "llvm/Support/MathExtras.h"

namespace llcuda::emit {
namespace {

/// Indices of records by symbol, in the order in which the plan names them.
using Index = llvm::StringMap<uint32_t>;

template <typename Op>
Index indexOf(plan::EngineOp engine) {
  Index index;
  for (Op op : engine.getOps<Op>()) index.try_emplace(op.getSymName(), index.size());
  return index;
}

std::unique_ptr<fb::KernelT> kernelRecord(plan::KernelOp kernel, const codegen::KernelSpec& spec) {
  auto record = std::make_unique<fb::KernelT>();
  record->name = kernel.getSymName().str();
  record->op = kernel.getOp().str();
  record->threads = static_cast<uint32_t>(kernel.getThreads());
  record->dynamic_shared_bytes = static_cast<uint32_t>(kernel.getDynamicShared());
  record->param_count = static_cast<uint32_t>(kernel.getParams().size());
  const std::string source = spec.source();
  record->source_xxh3 = schema::hashBytes(std::as_bytes(std::span(source)));
  return record;
}

std::unique_ptr<fb::BufferT> bufferRecord(plan::BufferOp buffer) {
  auto record = std::make_unique<fb::BufferT>();
  record->name = buffer.getSymName().str();
  record->kind = static_cast<fb::BufferKind>(buffer.getKind());
  record->bytes = static_cast<uint64_t>(buffer.getBytes());
  if (buffer.getKind() == plan::BufferKind::Arena)
    record->offset = static_cast<uint64_t>(buffer.getOffset().value_or(0));
  record->part = buffer.getPart() ? static_cast<fb::KvPart>(*buffer.getPart()) : fb::KvPart::none;
  record->kv_type = buffer.getKvType().value_or("").str();
  record->window = static_cast<uint32_t>(buffer.getWindow().value_or(0));
  record->role = buffer.getRole() ? static_cast<fb::IoRole>(*buffer.getRole()) : fb::IoRole::none;
  return record;
}

fb::Work workRecord(plan::WorkAttr work) {
  const auto number = [](int64_t value) { return static_cast<uint64_t>(value); };
  return {number(work.getFixedBytes()),
          number(work.getRowRead()),
          number(work.getRowWritten()),
          number(work.getKeyBytes()),
          number(work.getRowMultiplyAdds()),
          number(work.getKeyMultiplyAdds()),
          number(work.getExpertBytes()),
          static_cast<uint32_t>(work.getRows()),
          static_cast<uint32_t>(work.getWindow()),
          static_cast<uint32_t>(work.getExperts()),
          static_cast<uint32_t>(work.getChoices()),
          static_cast<uint32_t>(work.getTileRows()),
          static_cast<fb::ArithmeticUnit>(work.getUnit())};
}

std::unique_ptr<fb::LaunchT> launchRecord(plan::LaunchOp launch, const Index& kernels, const Index& buffers) {
  auto record = std::make_unique<fb::LaunchT>();
  record->kernel = kernels.lookup(launch.getKernel());
  record->grid_x = static_cast<uint32_t>(launch.getGrid()[0]);
  record->grid_y = static_cast<uint32_t>(launch.getGrid()[1]);
  record->grid_z = static_cast<uint32_t>(launch.getGrid()[2]);
  record->layer = launch.getLayer() ? static_cast<int32_t>(*launch.getLayer()) : -1;
  for (auto [buffer, offset] : llvm::zip_equal(launch.getBuffers(), launch.getOffsets())) {
    const uint32_t index = buffers.lookup(llvm::cast<mlir::FlatSymbolRefAttr>(buffer).getValue());
    record->arguments.emplace_back(index, static_cast<uint64_t>(offset));
  }
  record->work = std::make_unique<fb::Work>(workRecord(launch.getWork()));
  record->tap = launch.getTap() ? static_cast<int32_t>(buffers.lookup(*launch.getTap())) : -1;
  return record;
}

uint32_t outputsOf(plan::PhaseOp phase, plan::TailKind tail) {
  switch (tail) {
  case plan::TailKind::Sample:
  case plan::TailKind::Report:
    return static_cast<uint32_t>(phase.getOutputs());
  case plan::TailKind::Score:
    return static_cast<uint32_t>(*phase.getScores());
  case plan::TailKind::Pool:
    return static_cast<uint32_t>(llvm::divideCeil(phase.getRows(), phase.getRowBlock()));
  }
  llvm_unreachable("every kind is listed");
}

/// Where the launches of each tail begin.
std::vector<fb::Tail> tailsOf(plan::PhaseOp phase) {
  std::vector<fb::Tail> tails;
  std::optional<plan::TailKind> last;
  uint32_t index = 0;
  for (plan::LaunchOp launch : phase.getOps<plan::LaunchOp>()) {
    if (launch.getTail() && launch.getTail() != last)
      tails.emplace_back(static_cast<fb::TailKind>(*launch.getTail()), outputsOf(phase, *launch.getTail()), index);
    last = launch.getTail();
    ++index;
  }
  return tails;
}

std::unique_ptr<fb::PhaseT> phaseRecord(plan::PhaseOp phase, const Index& kernels, const Index& buffers) {
  auto record = std::make_unique<fb::PhaseT>();
  record->rows = static_cast<uint32_t>(phase.getRows());
  record->row_block = static_cast<uint32_t>(phase.getRowBlock());
  record->feeds_back = phase.getFeedsBack();
  for (plan::LaunchOp launch : phase.getOps<plan::LaunchOp>())
    record->launches.push_back(launchRecord(launch, kernels, buffers));
  record->tails = tailsOf(phase);
  return record;
}

/// What the compilers of images say about each kernel.
void addImages(fb::EngineT& engine, const KernelImages& images, const ImageSegment& segment) {
  for (auto& record : engine.kernels) {
    const KernelImage& image = images.kernels.at(record->name);
    record->images = segment.images.at(record->name);
    record->registers = image.registers;
    record->static_shared_bytes = image.staticSharedBytes;
    record->spill_bytes = image.spillBytes;
  }
}

void addSources(fb::EngineT& engine, const WeightPlan& weights, const Index& buffers) {
  for (const fb::SourceFileT& file : weights.files)
    engine.source_files.push_back(std::make_unique<fb::SourceFileT>(file));
  for (auto [buffer, source] : llvm::zip_equal(weights.referenced.buffers, weights.sources)) {
    engine.weight_sources.push_back(std::make_unique<fb::WeightSourceT>(source));
    engine.weight_sources.back()->buffer = buffers.lookup(plan::BufferOp(buffer).getSymName());
  }
}

/// Appends one image and names its place. Images start at multiples of 64 bytes.
void append(ImageSegment& segment, std::vector<fb::Image>& images, fb::ImageKind kind, std::string_view bytes) {
  segment.bytes.resize(schema::alignUp(segment.bytes.size(), 64));
  images.emplace_back(kind, fb::Span(segment.bytes.size(), bytes.size()));
  segment.bytes += bytes;
}

} // namespace

Result<ImageSegment> layOutImages(plan::EngineOp engine, const KernelImages& images) {
  ImageSegment segment;
  std::optional<fb::Image> host;
  for (plan::KernelOp kernel : engine.getOps<plan::KernelOp>()) {
    const std::string name = kernel.getSymName().str();
    const auto found = images.kernels.find(name);
    if (found == images.kernels.end())
      return internalError("kernel ", name, " was not compiled");
    std::vector<fb::Image>& list = segment.images[name];
    if (!found->second.cubin.empty())
      append(segment, list, fb::ImageKind::cubin_sm_75, found->second.cubin);
    if (!found->second.ptx.empty()) // the driver reads PTX up to its NUL
      append(segment, list, fb::ImageKind::ptx_compute_75, found->second.ptx + '\0');
    if (!images.hostImage.empty() && host)
      list.push_back(*host);
    else if (!images.hostImage.empty()) {
      append(segment, list, fb::ImageKind::host_x86_64, images.hostImage);
      host = list.back();
    }
  }
  return segment;
}

fb::EngineT planRecord(plan::EngineOp plan) {
  fb::EngineT engine;
  engine.max_context = static_cast<uint32_t>(plan.getMaxContext());
  engine.max_batch = static_cast<uint32_t>(plan.getMaxBatch());
  engine.page_tokens = static_cast<uint32_t>(plan.getPageTokens());
  engine.arena_bytes = static_cast<uint64_t>(plan.getArenaBytes());
  for (auto [kernel, spec] : llvm::zip_equal(plan.getOps<plan::KernelOp>(), kernelSpecs(plan)))
    engine.kernels.push_back(kernelRecord(kernel, spec));
  for (plan::BufferOp buffer : plan.getOps<plan::BufferOp>()) engine.buffers.push_back(bufferRecord(buffer));
  const Index kernels = indexOf<plan::KernelOp>(plan);
  const Index buffers = indexOf<plan::BufferOp>(plan);
  for (plan::PhaseOp phase : plan.getOps<plan::PhaseOp>())
    engine.phases.push_back(phaseRecord(phase, kernels, buffers));
  for (plan::EditsOp edits : plan.getOps<plan::EditsOp>())
    engine.apply_edits = launchRecord(llvm::cast<plan::LaunchOp>(edits.getBody().front().front()), kernels, buffers);
  return engine;
}

Result<std::string> buildMetadata(const EmitInput& input, const EmitResults& results, const ImageSegment& images,
                                  const SegmentPlan& constants, const WeightPlan& weights,
                                  std::vector<uint64_t> weightPieces) {
  fb::EngineT engine = planRecord(input.plan);
  engine.weight_piece_bytes = weightPieces.empty() ? 0 : schema::kWeightPieceBytes;
  engine.weight_pieces = std::move(weightPieces);
  engine.compiler = std::make_unique<fb::CompilerT>(results.compiler);
  engine.batch_invariant = input.batchInvariant;
  engine.model = std::make_unique<fb::ModelT>(input.model);
  addImages(engine, results.images, images);
  const Index buffers = indexOf<plan::BufferOp>(input.plan);
  for (const SegmentPlan* segment : {&constants, &weights.embedded, &weights.referenced})
    for (auto [buffer, offset] : llvm::zip_equal(segment->buffers, segment->offsets))
      engine.buffers[buffers.lookup(plan::BufferOp(buffer).getSymName())]->offset = offset;
  addSources(engine, weights, buffers);
  if (results.checks.golden)
    engine.golden = std::make_unique<fb::GoldenT>(*results.checks.golden);
  for (const fb::GoldenT& prompt : results.checks.prompts)
    engine.golden_prompts.push_back(std::make_unique<fb::GoldenT>(prompt));
  if (results.checks.tokenizer)
    engine.tokenizer_vectors = std::make_unique<fb::TokenizerVectorsT>(*results.checks.tokenizer);
  engine.text = std::make_unique<fb::TextT>();
  engine.text->tokenizer = std::make_unique<fb::Span>(0, input.tokenizer.size());
  engine.text->config = std::make_unique<fb::Span>(input.tokenizer.size(), input.textConfig.size());

  flatbuffers::FlatBufferBuilder builder;
  fb::FinishEngineBuffer(builder, fb::CreateEngine(builder, &engine));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

} // namespace llcuda::emit
