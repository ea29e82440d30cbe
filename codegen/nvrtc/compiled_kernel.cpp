// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/compiled_kernel.h"

#include "codegen/base/wire.h"

namespace llcuda::codegen {

std::string serializeKernel(const CompiledKernel& kernel) {
  WireWriter writer;
  writer.text(kernel.cubin);
  writer.text(kernel.ptx);
  writer.number(kernel.registers);
  writer.number(kernel.staticSharedBytes);
  writer.number(kernel.spillBytes);
  writer.text(kernel.log);
  return writer.take();
}

std::optional<CompiledKernel> parseKernel(std::string_view bytes) {
  WireReader reader(bytes);
  CompiledKernel kernel;
  kernel.cubin = reader.text();
  kernel.ptx = reader.text();
  kernel.registers = static_cast<uint32_t>(reader.number());
  kernel.staticSharedBytes = static_cast<uint32_t>(reader.number());
  kernel.spillBytes = static_cast<uint32_t>(reader.number());
  kernel.log = reader.text();
  if (!reader.atEnd())
    return std::nullopt;
  return kernel;
}

} // namespace llcuda::codegen
