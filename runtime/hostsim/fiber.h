// SPDX-License-Identifier: Apache-2.0
// Stacks to switch between, without a scheduler: who switches says where to.
#pragma once

#include <boost/context/detail/fcontext.hpp>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#include <cstddef>
#include <memory>

#include "runtime/base/result.h"

namespace llcuda::hostsim {

/// A place where code runs: a stack of its own, or that of an operating system thread. Announced to AddressSanitizer.
class Fiber {
public:
  /// Stack bytes a thread of a block may use. An inaccessible page lies below.
  static constexpr size_t kStackBytes = size_t{256} << 10;

  /// A fiber that calls `entry(argument)` when it is first switched to. `entry` never returns. `index` staggers the
  /// first frames, which would otherwise share cache sets.
  static Result<std::unique_ptr<Fiber>> create(size_t index, void (*entry)(void*), void* argument);

  /// Stands for the stack of the calling operating system thread.
  Fiber() = default;
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Goes on in `to`; returns when some fiber switches back to this one. Only the running fiber switches.
  void switchTo(Fiber& to);

  /// Forgets what the fiber was doing: the next switch to it calls its entry again. Not for the running fiber.
  void reset();

  /// Whether `address` lies in the inaccessible page below the stack.
  bool isBelowStack(const void* address) const;

private:
  static void enter(boost::context::detail::transfer_t from);
  void arrive(boost::context::detail::transfer_t from);

  boost::context::detail::fcontext_t context = nullptr;
  char* mapping = nullptr;
  char* firstFrame = nullptr;
  void (*entry)(void*) = nullptr;
  void* argument = nullptr;
  const void* stackBottom = nullptr; // for the sanitizer, as are the next two
  size_t stackBytes = 0;
  void* fakeStack = nullptr;
};

// Inline, as is all between kernel code and the switch: after a switch the processor predicts every return wrongly.
__attribute__((always_inline)) inline void Fiber::switchTo(Fiber& to) {
  Fiber* ends[2] = {this, &to};
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fakeStack, to.stackBottom, to.stackBytes);
#endif
  arrive(boost::context::detail::jump_fcontext(to.context, ends));
}

// Runs in the fiber that was switched to. `from.data` names who came, whose context is only now known.
__attribute__((always_inline)) inline void Fiber::arrive(boost::context::detail::transfer_t from) {
  Fiber& previous = **static_cast<Fiber**>(from.data);
  previous.context = from.fctx;
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  size_t bytes = 0;
  __sanitizer_finish_switch_fiber(fakeStack, &bottom, &bytes);
  if (!previous.mapping) {
    previous.stackBottom = bottom;
    previous.stackBytes = bytes;
  }
#endif
}

} // namespace llcuda::hostsim
