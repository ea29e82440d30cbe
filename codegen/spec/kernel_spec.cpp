// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/kernel_spec.h"

#include "runtime/base/hash.h"

namespace llcuda::codegen {
namespace {

std::string sourceOf(const KernelSpec& kernel, const std::string& name) {
  std::string text = "#include \"" + kernel.header + "\"\n\nLLCUDA_ENTRY(" + std::to_string(kernel.threads) + ", " +
                     std::to_string(kernel.minBlocksPerSm) + ")\n" + name + "(";
  for (size_t i = 0; i < kernel.params.size(); ++i)
    text += (i == 0 ? "" : ", ") + kernel.params[i].type + " " + kernel.params[i].name;
  return text + ") {\n  llcuda::" + kernel.call + ";\n}\n";
}

} // namespace

std::string KernelSpec::source() const {
  return sourceOf(*this, name);
}

uint64_t contentHash(const KernelSpec& kernel) {
  std::string text = sourceOf(kernel, "") + std::to_string(kernel.dynamicSharedBytes) + " ";
  for (const Param& param : kernel.params) text += std::to_string(static_cast<int>(param.access));
  return hashBytes(std::as_bytes(std::span(text)));
}

} // namespace llcuda::codegen
