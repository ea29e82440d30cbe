// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/metadata.h"

#include "runtime/schema/engine_file.h"
#include "llvm/ADT/DenseMap.h"

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

std::unique_ptr<fb::KernelT> kernelRecord(plan::KernelOp kernel, const EmitInput& input, const ImageSegment& segment) {
  const std::string name = kernel.getSymName().str();
  const KernelImage& image = input.images.kernels.at(name);
  auto record = std::make_unique<fb::KernelT>();
  record->name = name;
  record->threads = static_cast<uint32_t>(kernel.getThreads());
  record->dynamic_shared_bytes = static_cast<uint32_t>(kernel.getDynamicShared());
  record->param_count = static_cast<uint32_t>(kernel.getParams().size());
  record->images = segment.images.at(name);
  record->registers = image.registers;
  record->static_shared_bytes = image.staticSharedBytes;
  record->spill_bytes = image.spillBytes;
  return record;
}

std::unique_ptr<fb::BufferT> bufferRecord(plan::BufferOp buffer, const llvm::DenseMap<mlir::Operation*, uint64_t>& at) {
  auto record = std::make_unique<fb::BufferT>();
  record->name = buffer.getSymName().str();
  record->kind = static_cast<fb::BufferKind>(buffer.getKind());
  record->bytes = static_cast<uint64_t>(buffer.getBytes());
  record->offset = buffer.getKind() == plan::BufferKind::Arena ? static_cast<uint64_t>(buffer.getOffset().value_or(0))
                                                               : at.lookup(buffer);
  record->ring_pages = static_cast<uint32_t>(buffer.getRing().value_or(0));
  record->window = static_cast<uint32_t>(buffer.getWindow().value_or(0));
  record->role = buffer.getRole() ? static_cast<fb::IoRole>(*buffer.getRole()) : fb::IoRole::none;
  return record;
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
  return record;
}

std::unique_ptr<fb::PhaseT> phaseRecord(plan::PhaseOp phase, const Index& kernels, const Index& buffers) {
  auto record = std::make_unique<fb::PhaseT>();
  record->kind = static_cast<fb::PhaseKind>(phase.getKind());
  record->rows = static_cast<uint32_t>(phase.getRows());
  record->outputs = static_cast<uint32_t>(phase.getOutputs());
  for (plan::LaunchOp launch : phase.getOps<plan::LaunchOp>())
    record->launches.push_back(launchRecord(launch, kernels, buffers));
  return record;
}

/// Appends one image and names its place. Images start at multiples of 64 bytes.
void append(ImageSegment& segment, std::vector<fb::Image>& images, fb::ImageKind kind, std::string_view bytes) {
  segment.bytes.resize(schema::alignUp(segment.bytes.size(), 64));
  images.emplace_back(kind, fb::Span(segment.bytes.size(), bytes.size()));
  segment.bytes += bytes;
}

} // namespace

SegmentPlan planSegment(plan::EngineOp engine, plan::BufferKind kind) {
  SegmentPlan segment;
  for (plan::BufferOp buffer : engine.getOps<plan::BufferOp>()) {
    if (buffer.getKind() != kind)
      continue;
    segment.bytes = schema::alignUp(segment.bytes, schema::kBufferAlignment);
    segment.buffers.push_back(buffer);
    segment.offsets.push_back(segment.bytes);
    segment.bytes += static_cast<uint64_t>(buffer.getBytes());
  }
  return segment;
}

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

Result<std::string> buildMetadata(const EmitInput& input, const ImageSegment& images, const SegmentPlan& constants,
                                  const SegmentPlan& weights) {
  plan::EngineOp plan = input.plan;
  llvm::DenseMap<mlir::Operation*, uint64_t> offsets;
  for (const SegmentPlan* segment : {&constants, &weights})
    for (auto [buffer, offset] : llvm::zip_equal(segment->buffers, segment->offsets)) offsets[buffer] = offset;

  fb::EngineT engine;
  engine.compiler = std::make_unique<fb::CompilerT>(input.compiler);
  engine.model = std::make_unique<fb::ModelT>(input.model);
  engine.max_context = static_cast<uint32_t>(plan.getMaxContext());
  engine.max_batch = static_cast<uint32_t>(plan.getMaxBatch());
  engine.page_tokens = static_cast<uint32_t>(plan.getPageTokens());
  engine.kv_type = plan.getKvType().str();
  engine.arena_bytes = static_cast<uint64_t>(plan.getArenaBytes());
  for (plan::KernelOp kernel : plan.getOps<plan::KernelOp>())
    engine.kernels.push_back(kernelRecord(kernel, input, images));
  for (plan::BufferOp buffer : plan.getOps<plan::BufferOp>()) engine.buffers.push_back(bufferRecord(buffer, offsets));
  const Index kernels = indexOf<plan::KernelOp>(plan);
  const Index buffers = indexOf<plan::BufferOp>(plan);
  for (plan::PhaseOp phase : plan.getOps<plan::PhaseOp>())
    engine.phases.push_back(phaseRecord(phase, kernels, buffers));
  if (input.golden)
    engine.golden = std::make_unique<fb::GoldenT>(*input.golden);
  engine.text = std::make_unique<fb::TextT>();
  engine.text->tokenizer = std::make_unique<fb::Span>(0, input.tokenizer.size());
  engine.text->config = std::make_unique<fb::Span>(input.tokenizer.size(), input.textConfig.size());

  flatbuffers::FlatBufferBuilder builder;
  fb::FinishEngineBuffer(builder, fb::CreateEngine(builder, &engine));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

} // namespace llcuda::emit
