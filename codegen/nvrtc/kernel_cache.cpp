// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/kernel_cache.h"

#include <vector>

#include "codegen/base/wire.h"
#include "codegen/nvrtc/embedded_headers.h"
#include "codegen/nvrtc/kernel_compiler.h"

namespace llcuda::codegen {
namespace {

// The number goes up when a compiled kernel's layout changes, or what is done to NVRTC's output.
constexpr std::string_view kMagic = "llcuda kernel 2\n";

template <typename Headers>
void appendHeaders(WireWriter& writer, const Headers& headers) {
  for (const EmbeddedHeader* header : headers) {
    writer.text(header->name);
    writer.text(header->text);
  }
}

} // namespace

std::string kernelKey(const NvrtcLibrary& nvrtc, std::string_view source) {
  WireWriter writer;
  writer.text(kMagic);
  writer.text(nvrtc.version());
  writer.number(nvrtc.fileBytes());
  for (const char* flag : nvrtcFlags()) writer.text(flag);
  writer.text(source);
  appendHeaders(writer, headersOf(source));
  return blobKey(writer.take());
}

std::string headersKey() {
  WireWriter writer;
  writer.text(kMagic);
  for (const char* flag : nvrtcFlags()) writer.text(flag);
  std::vector<const EmbeddedHeader*> headers;
  for (const EmbeddedHeader& header : embeddedHeaders()) headers.push_back(&header);
  appendHeaders(writer, headers);
  return blobKey(writer.take());
}

std::optional<CompiledKernel> KernelCache::find(const std::string& key) const {
  const std::optional<std::string> bytes = blobs.find(key);
  return bytes ? parseKernel(*bytes) : std::nullopt;
}

Result<void> KernelCache::store(const std::string& key, const CompiledKernel& kernel) const {
  return blobs.store(key, serializeKernel(kernel));
}

} // namespace llcuda::codegen
