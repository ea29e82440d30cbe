// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/kernel_spec.h"

namespace llcuda::codegen {

std::string KernelSpec::name() const {
  return op + "__" + format + "__" + shape + "__" + tile;
}

std::string KernelSpec::source() const {
  std::string text = "#include \"" + header + "\"\n\nLLCUDA_ENTRY(" + std::to_string(threads) + ", " +
                     std::to_string(minBlocksPerSm) + ")\n" + name() + "(";
  for (size_t i = 0; i < params.size(); ++i) text += (i == 0 ? "" : ", ") + params[i].type + " " + params[i].name;
  return text + ") {\n  llcuda::" + call + ";\n}\n";
}

} // namespace llcuda::codegen
