// SPDX-License-Identifier: Apache-2.0
// Stacks to switch between, without a scheduler: who switches says where to.
#pragma once

#include <boost/context/detail/fcontext.hpp>

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

} // namespace llcuda::hostsim
