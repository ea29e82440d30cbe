// SPDX-License-Identifier: Apache-2.0
// Kernels: names that any driver can look up, launch limits of SM 7.5, images that lie in their segment.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>

#include "runtime/engine/verify_parts.h"

namespace llcuda::verify {
namespace {

constexpr std::string_view kElf = "\177ELF";

bool isIdentifier(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// A driver is handed a pointer without a size, so an image has to say itself where it ends.
Result<void> verifyImage(const fb::Image& image, std::span<const std::byte> segment, uint32_t kernel, uint32_t i) {
  const uint64_t bytes = image.span().bytes();
  if (image.kind() > fb::ImageKind::MAX)
    return corrupt("kernels[", kernel, "].images[", i, "].kind is ", static_cast<int>(image.kind()));
  if (!spanFits(image.span().offset(), bytes, segment.size()))
    return corrupt("kernels[", kernel, "].images[", i, "] ends past the images segment");
  const auto code = segment.subspan(image.span().offset(), bytes);
  if (image.kind() == fb::ImageKind::ptx_compute_75) {
    if (bytes == 0 || code.back() != std::byte{0})
      return corrupt("kernels[", kernel, "].images[", i, "] is PTX that does not end with a zero byte");
    return {};
  }
  if (bytes < 64 || std::memcmp(code.data(), kElf.data(), kElf.size()) != 0)
    return corrupt("kernels[", kernel, "].images[", i, "] is not an ELF image");
  return {};
}

Result<void> verifyImages(const fb::Kernel& kernel, std::span<const std::byte> segment, uint32_t k) {
  const auto& images = *kernel.images();
  if (images.size() == 0 || images.size() > static_cast<uint32_t>(fb::ImageKind::MAX) + 1)
    return corrupt("kernels[", k, "] has ", images.size(), " images");
  if (!isAligned(images))
    return corrupt("kernels[", k, "].images is not aligned");
  uint32_t seen = 0;
  for (uint32_t i = 0; i < images.size(); ++i) {
    LLCUDA_RETURN_IF_ERROR(verifyImage(*images[i], segment, k, i));
    const uint32_t bit = 1u << static_cast<uint32_t>(images[i]->kind());
    if (seen & bit)
      return corrupt("kernels[", k, "] has two ", fb::EnumNameImageKind(images[i]->kind()), " images");
    seen |= bit;
  }
  return {};
}

Result<void> verifyLimits(const fb::Kernel& kernel, uint32_t k) {
  if (kernel.threads() == 0 || kernel.threads() > kMaxThreads || kernel.threads() % kWarpThreads != 0)
    return corrupt("kernels[", k, "].threads is ", kernel.threads(), ", allowed are multiples of ", kWarpThreads,
                   " to ", kMaxThreads);
  if (!spanFits(kernel.static_shared_bytes(), kernel.dynamic_shared_bytes(), kMaxSharedBytes))
    return corrupt("kernels[", k, "] needs ", kernel.static_shared_bytes(), " + ", kernel.dynamic_shared_bytes(),
                   " bytes of shared memory, allowed are ", kMaxSharedBytes);
  if (kernel.registers() > kMaxRegisters || kernel.registers() * kernel.threads() > kRegistersPerSm)
    return corrupt("kernels[", k, "] needs ", kernel.registers(), " registers in each of ", kernel.threads(),
                   " threads, an SM has ", kRegistersPerSm);
  if (kernel.param_count() == 0 || kernel.param_count() > kMaxParams)
    return corrupt("kernels[", k, "].param_count is ", kernel.param_count(), ", allowed are 1 to ", kMaxParams);
  return {};
}

} // namespace

Result<void> verifyKernels(const fb::Engine& engine, const EngineSegments& segments) {
  const auto images = segments[static_cast<std::size_t>(schema::SegmentKind::kImages)];
  const auto& kernels = *engine.kernels();
  if (kernels.size() == 0 || kernels.size() > kMaxKernels)
    return corrupt("kernels has ", kernels.size(), " entries, allowed are 1 to ", kMaxKernels);
  std::unordered_set<std::string_view> names;
  for (uint32_t k = 0; k < kernels.size(); ++k) {
    const fb::Kernel& kernel = *kernels[k];
    if (!isIdentifier(kernel.name()->string_view()) || !isIdentifier(kernel.op()->string_view()))
      return corrupt("kernels[", k, "] has a name or op that is not of the form a-z, 0-9 and '_', up to ",
                     kMaxNameBytes, " characters");
    if (!names.insert(kernel.name()->string_view()).second)
      return corrupt("kernels[", k, "].name is that of an earlier kernel: ", kernel.name()->string_view());
    LLCUDA_RETURN_IF_ERROR(verifyLimits(kernel, k));
    LLCUDA_RETURN_IF_ERROR(verifyImages(kernel, images, k));
  }
  return {};
}

} // namespace llcuda::verify
