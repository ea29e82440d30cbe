// SPDX-License-Identifier: Apache-2.0
#include "codegen/host/host_source.h"

namespace llcuda::codegen {
namespace {

std::string bodyName(const KernelSpec& spec) {
  return "llcudaBody__" + spec.name;
}

std::string bodyDeclaration(const KernelSpec& spec) {
  return "extern \"C\" __attribute__((visibility(\"hidden\"))) void " + bodyName(spec) +
         "(LlcudaHostContext* context, void* const* arguments)";
}

} // namespace

std::string hostKernelSource(const KernelSpec& spec) {
  std::string text =
      spec.source() + "\n" + bodyDeclaration(spec) + " {\n  llcudaHostContext = context;\n  " + spec.name + "(";
  for (size_t i = 0; i < spec.params.size(); ++i)
    text += std::string(i == 0 ? "" : ", ") + "static_cast<" + spec.params[i].type + ">(arguments[" +
            std::to_string(i) + "])";
  return text + ");\n}\n";
}

std::string hostTableSource(std::span<const KernelSpec* const> specs) {
  std::string text = "#include \"runtime/base/hostsim_abi.h\"\n\n";
  for (const KernelSpec* spec : specs) text += bodyDeclaration(*spec) + ";\n";
  text += "\nstatic const LlcudaHostKernel kKernels[] = {\n";
  for (const KernelSpec* spec : specs)
    text += "    {\"" + spec->name + "\", " + bodyName(*spec) + ", " + std::to_string(spec->params.size()) + ", " +
            std::to_string(spec->threads) + "},\n";
  return text +
         "};\n\nextern \"C\" __attribute__((visibility(\"default\"))) const LlcudaHostImage llcudaHostImage = {\n"
         "    LLCUDA_HOST_ABI_VERSION, sizeof kKernels / sizeof kKernels[0], kKernels};\n";
}

} // namespace llcuda::codegen
