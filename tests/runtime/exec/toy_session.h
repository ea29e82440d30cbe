// SPDX-License-Identifier: Apache-2.0
// The toy engine on hostsim, for tests of what runs engines.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "runtime/exec/sequence.h"
#include "runtime/exec/session.h"
#include "tests/runtime/engine/toy_engine.h"

namespace llcuda::toy {

/// The functions of runtime/hostsim/control.h. The driver must be open.
class HostsimControl {
public:
  HostsimControl() : library(::dlopen(LLCUDA_HOSTSIM_PATH, RTLD_NOW | RTLD_LOCAL)) {
    EXPECT_NE(library, nullptr) << ::dlerror();
  }

  bool failCall(uint64_t nth, int result, const char* function = nullptr) const {
    return call<int(const char*, uint64_t, int)>("llcudaHostsimInjectFault")(function, nth, result) != 0;
  }
  void disarm() const { (void)failCall(0, 0); }
  bool struck() const { return call<int()>("llcudaHostsimFaultStruck")() != 0; }
  uint64_t calls(const char* function = nullptr) const {
    return call<uint64_t(const char*)>("llcudaHostsimCallCount")(function);
  }
  uint64_t liveObjects() const { return call<uint64_t()>("llcudaHostsimLiveObjects")(); }
  void setMemory(uint64_t bytes) const { call<void(uint64_t)>("llcudaHostsimSetMemory")(bytes); }
  void setThreads(unsigned count) const { call<void(unsigned)>("llcudaHostsimSetThreads")(count); }

private:
  template <typename Signature>
  Signature* call(const char* name) const {
    return reinterpret_cast<Signature*>(::dlsym(library, name));
  }
  void* library;
};

/// The toy engine's file in memory, opened.
inline std::shared_ptr<const Engine> openToy(const ToyEngine& toy) {
  struct Held {
    std::vector<std::byte> file;
    std::optional<Engine> engine;
  };
  auto held = std::make_shared<Held>(Held{fileBytes(toy), {}});
  auto opened = Engine::view(held->file, "toy.engine");
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  if (!opened)
    return nullptr;
  held->engine = std::move(*opened);
  return {held, &*held->engine};
}

inline std::shared_ptr<const Engine> openToy() {
  return openToy(toyEngine(readFile(LLCUDA_TOY_IMAGE_PATH)));
}

/// With all its kernels: no thread calls the driver beside what a test counts.
inline Result<std::shared_ptr<const Program>> loadToy(std::shared_ptr<const Engine> engine, bool guard = false) {
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(std::move(engine), std::move(device), guard));
  LLCUDA_RETURN_IF_ERROR(program->kernels().loadAll());
  return program;
}

inline Result<std::unique_ptr<Session>> toySession(uint32_t context = kMaxContext, uint32_t slots = 1,
                                                   bool guard = false) {
  LLCUDA_ASSIGN_OR_RETURN(auto program, loadToy(openToy(), guard));
  return Session::create(std::move(program), context, slots);
}

/// What a generate brings, collected.
struct Collected {
  std::vector<int32_t> tokens;
  std::vector<std::vector<Candidate>> top;
  std::vector<Candidate> forced;
  Metrics metrics;
  Result<void> result;
};

inline Collected generate(Sequence& sequence, std::span<const int32_t> prompt, GenerateOptions options) {
  Collected collected;
  auto more = std::move(options.onToken);
  options.onToken = [&](const GeneratedToken& token) {
    collected.tokens.push_back(token.token);
    collected.top.emplace_back(token.top.begin(), token.top.end());
    if (token.forced)
      collected.forced.push_back(*token.forced);
    return !more || more(token);
  };
  collected.result = sequence.generate(prompt, options, collected.metrics);
  return collected;
}

} // namespace llcuda::toy
