// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/fiber.h"

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace llcuda::hostsim {
namespace {

namespace context = boost::context::detail;

constexpr size_t kGuardBytes = 4096;
constexpr size_t kStaggerBytes = 192; // three cache lines
constexpr size_t kStaggerCount = 21;  // 21 * 192 bytes fill a page
static_assert(kStaggerBytes * kStaggerCount <= 4096);

} // namespace

Result<std::unique_ptr<Fiber>> Fiber::create(size_t index, void (*entry)(void*), void* argument) {
  auto fiber = std::make_unique<Fiber>();
  void* memory =
      mmap(nullptr, kGuardBytes + kStackBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return outOfMemory("no address space for the stack of thread ", index, " of a block");
  fiber->mapping = static_cast<char*>(memory);
  if (mprotect(fiber->mapping + kGuardBytes, kStackBytes, PROT_READ | PROT_WRITE) != 0)
    return outOfMemory("no memory for the stack of thread ", index, " of a block");
  fiber->firstFrame = fiber->mapping + kGuardBytes + kStackBytes - index % kStaggerCount * kStaggerBytes;
  fiber->stackBottom = fiber->mapping + kGuardBytes;
  fiber->stackBytes = kStackBytes;
  fiber->entry = entry;
  fiber->argument = argument;
  fiber->reset();
  return fiber;
}

Fiber::~Fiber() {
  if (!mapping)
    return;
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stackBottom, stackBytes);
#endif
  munmap(mapping, kGuardBytes + kStackBytes);
}

void Fiber::reset() {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stackBottom, stackBytes);
  fakeStack = nullptr;
#endif
  context = context::make_fcontext(firstFrame, static_cast<size_t>(firstFrame - mapping) - kGuardBytes, &Fiber::enter);
}

bool Fiber::isBelowStack(const void* address) const {
  const auto* byte = static_cast<const char*>(address);
  return byte >= mapping && byte < mapping + kGuardBytes;
}

void Fiber::enter(context::transfer_t from) {
  Fiber& self = *static_cast<Fiber**>(from.data)[1];
  self.arrive(from);
  self.entry(self.argument);
}

} // namespace llcuda::hostsim
