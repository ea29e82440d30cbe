// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/program.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "runtime/base/prefetch.h"
#include "runtime/exec/weight_upload.h"

namespace llcuda {
namespace {

/// Bytes of packed weights that may wait in memory while an earlier one is copied.
constexpr uint64_t kMaxPackedAhead = 256 << 20;

} // namespace

Result<std::shared_ptr<const Program>> Program::load(std::shared_ptr<const Engine> engine, OpenedDevice device,
                                                     bool guard, const std::string& weightsFrom) {
  const auto start = std::chrono::steady_clock::now();
  LLCUDA_ASSIGN_OR_RETURN(const WeightFiles files, WeightFiles::open(*engine, weightsFrom));
  std::shared_ptr<Program> program(new Program);
  program->file = std::move(engine);
  program->target = std::move(device);
  program->guard = guard;
  program->addresses.resize(program->file->metadata().buffers()->size());
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Stream stream, cuda::Stream::create(program->target.context));
  LLCUDA_RETURN_IF_ERROR(program->file->check(schema::SegmentKind::kConstants));
  const auto constants = program->file->segment(schema::SegmentKind::kConstants);
  LLCUDA_RETURN_IF_ERROR(program->allocate(fb::BufferKind::weight, program->file->weightBytes()));
  LLCUDA_RETURN_IF_ERROR(program->allocate(fb::BufferKind::constant, constants.size()));
  // Kernels are loaded while weights are on their way: the one is work of the driver, the other of file and bus.
  program->table = std::make_unique<const KernelTable>(*program->file, program->target);
  LLCUDA_RETURN_IF_ERROR(uploadWeights(*program->file, program->addresses, program->target.context, stream));
  LLCUDA_RETURN_IF_ERROR(program->uploadConstants(stream, constants));
  LLCUDA_RETURN_IF_ERROR(program->uploadReferenced(stream, files));
  LLCUDA_RETURN_IF_ERROR(stream.synchronize());
  program->uploadTime = std::chrono::steady_clock::now() - start;
  return std::shared_ptr<const Program>(std::move(program));
}

Result<cuda::CUdeviceptr> Program::allocate(uint64_t bytes, fb::BufferKind kind) {
  const char* purpose = kind == fb::BufferKind::weight ? "the weights" : "the constants";
  LLCUDA_ASSIGN_OR_RETURN(auto block, cuda::DeviceMemory::allocate(target.context, bytes, purpose));
  memory.push_back(std::move(block));
  return memory.back().address();
}

/// One allocation for all buffers of a kind, or one for each of them.
Result<void> Program::allocate(fb::BufferKind kind, uint64_t bytes) {
  cuda::CUdeviceptr base = 0;
  if (!guard && bytes != 0) {
    LLCUDA_ASSIGN_OR_RETURN(base, allocate(bytes, kind));
  }
  const auto& buffers = *file->metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b) {
    if (buffers[b]->kind() != kind)
      continue;
    addresses[b] = base + buffers[b]->offset();
    if (guard) {
      LLCUDA_ASSIGN_OR_RETURN(addresses[b], allocate(buffers[b]->bytes(), kind));
    }
  }
  return {};
}

Result<void> Program::uploadConstants(const cuda::Stream& stream, std::span<const std::byte> segment) const {
  const auto& buffers = *file->metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b)
    if (buffers[b]->kind() == fb::BufferKind::constant)
      LLCUDA_RETURN_IF_ERROR(
          stream.copyToDevice(addresses[b], segment.subspan(buffers[b]->offset(), buffers[b]->bytes())));
  return {};
}

/// Packs on all processors while what is packed goes to the device, in the order of the file.
Result<void> Program::uploadReferenced(const cuda::Stream& stream, const WeightFiles& files) const {
  if (!file->metadata().weight_sources())
    return {};
  const auto& sources = *file->metadata().weight_sources();
  const auto& buffers = *file->metadata().buffers();
  Prefetch<Result<std::vector<std::byte>>> packed({
      .count = sources.size(),
      .threads = std::max(2u, std::thread::hardware_concurrency()),
      .maxBytes = kMaxPackedAhead,
      .bytesOf = [&](std::size_t i) { return buffers[sources[static_cast<uint32_t>(i)]->buffer()]->bytes(); },
      .make = [&](std::size_t i) { return files.pack(*file, *sources[static_cast<uint32_t>(i)]); },
  });
  for (const fb::WeightSource* source : sources) {
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, packed.next());
    LLCUDA_RETURN_IF_ERROR(stream.copyToDevice(addresses[source->buffer()], bytes));
    LLCUDA_RETURN_IF_ERROR(stream.synchronize()); // the bytes go now
  }
  return {};
}

} // namespace llcuda
