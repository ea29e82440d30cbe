// SPDX-License-Identifier: Apache-2.0
// Sequences that come and go while others decode, against each alone, on hostsim:
//
//   mixed_agrees ENGINE
//
// Ends with 4 when a token is another, or when the host waits for a stream or the context between steps.
#include <dlfcn.h>

#include <cstdio>
#include <string>

#include "tools/llcuda-bench/mixed.h"

namespace llcuda {
namespace {

uint64_t calls(const char* function) {
  static void* const library = ::dlopen(LLCUDA_HOSTSIM_PATH, RTLD_NOW | RTLD_LOCAL);
  return reinterpret_cast<uint64_t (*)(const char*)>(::dlsym(library, "llcudaHostsimCallCount"))(function);
}

uint64_t waits() {
  return calls("cuStreamSynchronize") + calls("cuCtxSynchronize");
}

Result<void> run(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(engine, std::move(device), false, ""));
  const uint32_t context = engine->metadata().max_context();
  const auto requests = bench::mixedRequests(context, engine->model().vocabulary());
  LLCUDA_ASSIGN_OR_RETURN(const auto session,
                          Session::create(std::move(program), context, static_cast<uint32_t>(requests.size())));
  const uint64_t before = waits();
  LLCUDA_ASSIGN_OR_RETURN(const bench::MixedRun mixed, bench::runMixed(*session, requests));
  const uint64_t waited = waits() - before;
  uint32_t tokens = 0, other = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    LLCUDA_ASSIGN_OR_RETURN(const bench::MixedRun alone, bench::runMixed(*session, {requests[i]}));
    for (std::size_t t = 0; t < alone.tokens[0].size(); ++t, ++tokens)
      other += alone.tokens[0][t] != mixed.tokens[i][t];
  }
  std::printf("%zu sequences, %u tokens in %u steps, %u prompt runs, %u moves: %u other than alone, %u waits\n",
              requests.size(), tokens, mixed.steps, mixed.promptRuns, mixed.moves, other,
              static_cast<unsigned>(waited));
  if (other != 0 || waited != 0)
    return makeError(ErrorCode::kSelfCheckFailed, other, " tokens are others, ", waited, " waits between steps");
  return {};
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: mixed_agrees ENGINE\n");
    return 1;
  }
  const auto result = llcuda::run(argv[1]);
  if (result)
    return 0;
  std::fprintf(stderr, "mixed_agrees: %s\n", result.error().message.c_str());
  return static_cast<int>(result.error().code);
}
