// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/host_image.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace llcuda::hostsim {
namespace {

constexpr uint64_t kMaxImageBytes = uint64_t{1} << 30;

Result<uint64_t> imageBytes(const void* bytes) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes, SELFMAG);
  if (std::memcmp(&header, ELFMAG, SELFMAG) != 0)
    return unsupported("the image is no shared library; hostsim runs host images alone");
  std::memcpy(&header, bytes, sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 || header.e_type != ET_DYN)
    return unsupported("the image is for another machine (ELF machine ", header.e_machine,
                       "); hostsim runs host images alone");
  // The linker writes the section headers last.
  const uint64_t sectionBytes = uint64_t{header.e_shnum} * header.e_shentsize;
  if (header.e_shoff == 0 || sectionBytes == 0 || header.e_shoff > kMaxImageBytes)
    return badInput("the image has no section headers");
  return header.e_shoff + sectionBytes;
}

Result<int> memoryFile(const void* bytes, uint64_t count) {
  const int file = memfd_create("llcuda-host-image", MFD_CLOEXEC);
  if (file < 0)
    return internalError("memfd_create: ", std::strerror(errno));
  const auto* position = static_cast<const char*>(bytes);
  while (count > 0) {
    // An image that is shorter than it says gives EFAULT here rather than a fault.
    const ssize_t written = write(file, position, count);
    if (written <= 0) {
      const int reason = errno;
      close(file);
      return badInput("copying the image: ", std::strerror(reason));
    }
    position += written;
    count -= static_cast<uint64_t>(written);
  }
  return file;
}

} // namespace

Result<HostImage> HostImage::load(const void* bytes) {
  LLCUDA_ASSIGN_OR_RETURN(const uint64_t count, imageBytes(bytes));
  HostImage result;
  LLCUDA_ASSIGN_OR_RETURN(result.file, memoryFile(bytes, count));
  result.library = dlopen(("/proc/self/fd/" + std::to_string(result.file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!result.library)
    return badInput("loading the image: ", dlerror());
  result.image = static_cast<const LlcudaHostImage*>(dlsym(result.library, LLCUDA_HOST_IMAGE_SYMBOL));
  if (!result.image)
    return unsupported("the image has no symbol ", LLCUDA_HOST_IMAGE_SYMBOL, "; it is no host image");
  if (result.image->abiVersion != LLCUDA_HOST_ABI_VERSION)
    return unsupported("the host image has interface version ", result.image->abiVersion, ", this hostsim has ",
                       LLCUDA_HOST_ABI_VERSION, "; compile the engine again");
  return result;
}

HostImage::HostImage(HostImage&& other) noexcept
    : file(std::exchange(other.file, -1)), library(std::exchange(other.library, nullptr)),
      image(std::exchange(other.image, nullptr)) {}

HostImage::~HostImage() {
  if (library)
    dlclose(library);
  if (file >= 0)
    close(file);
}

const LlcudaHostKernel* HostImage::kernel(std::string_view name) const {
  const auto* end = image->kernels + image->kernelCount;
  const auto* found = std::find_if(image->kernels, end, [&](const LlcudaHostKernel& k) { return name == k.name; });
  return found == end ? nullptr : found;
}

} // namespace llcuda::hostsim
