// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/program.h"

#include <map>
#include <utility>

namespace llcuda {
namespace {

const fb::Image& imageOf(const fb::Kernel& kernel, fb::ImageKind kind) {
  for (const fb::Image* image : *kernel.images())
    if (image->kind() == kind)
      return *image;
  assert(false && "checked by hasImages()");
  return *kernel.images()->Get(0);
}

} // namespace

Result<std::shared_ptr<const Program>> Program::load(std::shared_ptr<const Engine> engine, OpenedDevice device,
                                                     bool guard) {
  std::shared_ptr<Program> program(new Program);
  program->file = std::move(engine);
  program->target = std::move(device);
  program->guard = guard;
  program->addresses.resize(program->file->metadata().buffers()->size());
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Stream stream, cuda::Stream::create(program->target.context));
  LLCUDA_RETURN_IF_ERROR(program->upload(stream, fb::BufferKind::weight, schema::SegmentKind::kWeights));
  LLCUDA_RETURN_IF_ERROR(program->upload(stream, fb::BufferKind::constant, schema::SegmentKind::kConstants));
  LLCUDA_RETURN_IF_ERROR(program->loadKernels());
  LLCUDA_RETURN_IF_ERROR(stream.synchronize());
  return std::shared_ptr<const Program>(std::move(program));
}

Result<void> Program::loadKernels() {
  std::map<uint64_t, std::size_t> moduleAt; // one image may serve every kernel
  for (const fb::Kernel* kernel : *file->metadata().kernels()) {
    const fb::Image& image = imageOf(*kernel, target.images);
    auto [known, added] = moduleAt.try_emplace(image.span().offset(), modules.size());
    if (added) {
      LLCUDA_ASSIGN_OR_RETURN(auto module,
                              cuda::Module::load(target.context, file->image(image),
                                                 detail::concat("kernel ", kernel->name()->string_view())));
      modules.push_back(std::move(module));
    }
    LLCUDA_ASSIGN_OR_RETURN(auto function,
                            modules[known->second].function(kernel->name()->str(), kernel->dynamic_shared_bytes()));
    functions.push_back(std::move(function));
  }
  return {};
}

Result<cuda::CUdeviceptr> Program::place(const cuda::Stream& stream, std::span<const std::byte> bytes,
                                         const char* purpose) {
  LLCUDA_ASSIGN_OR_RETURN(auto block, cuda::DeviceMemory::allocate(target.context, bytes.size(), purpose));
  LLCUDA_RETURN_IF_ERROR(stream.copyToDevice(block.address(), bytes));
  memory.push_back(std::move(block));
  return memory.back().address();
}

Result<void> Program::upload(const cuda::Stream& stream, fb::BufferKind kind, schema::SegmentKind segmentKind) {
  const std::span<const std::byte> segment = file->segment(segmentKind);
  const char* purpose = kind == fb::BufferKind::weight ? "the weights" : "the constants";
  cuda::CUdeviceptr base = 0;
  if (!guard && !segment.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(base, place(stream, segment, purpose));
  }
  const auto& buffers = *file->metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b) {
    if (buffers[b]->kind() != kind)
      continue;
    addresses[b] = base + buffers[b]->offset();
    if (guard) {
      LLCUDA_ASSIGN_OR_RETURN(addresses[b],
                              place(stream, segment.subspan(buffers[b]->offset(), buffers[b]->bytes()), purpose));
    }
  }
  return {};
}

} // namespace llcuda
