// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/kernel_compiler.h"

#include <optional>

#include "codegen/nvrtc/embedded_headers.h"
#include "codegen/nvrtc/kernel_log.h"
#include "codegen/nvrtc/ptx_version.h"

namespace llcuda::codegen {
namespace {

using Functions = NvrtcLibrary::Functions;

// sm_75, not compute_75: one compile then gives the machine code and the PTX.
constexpr const char* kFlags[] = {"--gpu-architecture=sm_75", "--std=c++20", "--minimal",
                                  "--device-as-default-execution-space", "--ptxas-options=-v"};

struct ProgramGuard {
  const Functions& nvrtc;
  Functions::Program program = nullptr;
  ~ProgramGuard() {
    if (program)
      nvrtc.destroyProgram(&program);
  }
};

Error failed(const std::string& name, const Functions& nvrtc, int result) {
  return internalError("kernel ", name, ": NVRTC: ", nvrtc.getErrorString(result));
}

/// One of NVRTC's outputs; std::nullopt when it has none.
std::optional<std::string> output(Functions::Program program, int (*sizeOf)(Functions::Program, size_t*),
                                  int (*get)(Functions::Program, char*)) {
  size_t size = 0;
  if (sizeOf(program, &size) != 0)
    return std::nullopt;
  std::string bytes(size, '\0');
  if (size != 0 && get(program, bytes.data()) != 0)
    return std::nullopt;
  return bytes;
}

/// Texts of NVRTC count their terminating NUL.
std::string withoutNul(std::string text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

/// The first lines of a log that say "error", in one line.
std::string errorsOf(const std::string& log) {
  std::string errors;
  for (size_t at = 0; at < log.size() && errors.size() < 300;) {
    const size_t end = std::min(log.find('\n', at), log.size());
    const std::string line = log.substr(at, end - at);
    if (line.find("error") != line.npos)
      errors += (errors.empty() ? "" : "; ") + line;
    at = end + 1;
  }
  return errors;
}

} // namespace

std::span<const char* const> nvrtcFlags() {
  return kFlags;
}

Result<CompiledKernel> compileSource(const NvrtcLibrary& library, const std::string& name, const std::string& source) {
  const Functions& nvrtc = library.functions();
  std::vector<const char*> texts, names;
  for (const EmbeddedHeader* header : headersOf(source)) {
    texts.push_back(header->text);
    names.push_back(header->name);
  }
  ProgramGuard guard{nvrtc};
  const std::string file = name + ".cu";
  int result = nvrtc.createProgram(&guard.program, source.c_str(), file.c_str(), static_cast<int>(texts.size()),
                                   texts.data(), names.data());
  if (result != 0)
    return failed(name, nvrtc, result);
  result = nvrtc.compileProgram(guard.program, static_cast<int>(std::size(kFlags)), kFlags);
  const auto log = output(guard.program, nvrtc.getProgramLogSize, nvrtc.getProgramLog);
  const std::string messages = messagesOf(withoutNul(log.value_or("")));
  if (result != 0)
    return internalError("kernel ", name, ": NVRTC: ", nvrtc.getErrorString(result), ": ", errorsOf(messages));

  auto cubin = output(guard.program, nvrtc.getCUBINSize, nvrtc.getCUBIN);
  auto ptx = output(guard.program, nvrtc.getPTXSize, nvrtc.getPTX);
  if (!cubin || cubin->empty() || !ptx || ptx->empty())
    return internalError("kernel ", name, ": NVRTC ", library.version(), " gave no machine code or no PTX");
  const auto resources = parseResources(withoutNul(log.value_or("")));
  if (!resources)
    return internalError("kernel ", name, ": NVRTC ", library.version(), " did not report the kernel's registers");
  return CompiledKernel{.cubin = std::move(*cubin),
                        .ptx = withPlainPtxVersion(withoutNul(std::move(*ptx))),
                        .registers = resources->registers,
                        .staticSharedBytes = resources->staticSharedBytes,
                        .spillBytes = resources->spillBytes,
                        .log = messages};
}

} // namespace llcuda::codegen
