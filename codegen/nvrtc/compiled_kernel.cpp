// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/compiled_kernel.h"

#include <cstring>

namespace llcuda::codegen {

uint64_t WireReader::number() {
  uint64_t value = 0;
  good = good && rest.size() >= sizeof value;
  if (!good)
    return 0;
  std::memcpy(&value, rest.data(), sizeof value);
  rest.remove_prefix(sizeof value);
  return value;
}

std::string_view WireReader::text() {
  const uint64_t length = number();
  good = good && length <= rest.size();
  if (!good)
    return {};
  const std::string_view value = rest.substr(0, length);
  rest.remove_prefix(length);
  return value;
}

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
