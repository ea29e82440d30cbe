// SPDX-License-Identifier: Apache-2.0
// What every function of the C interface does at its edge: nothing thrown gets out, errors become a status and a text.
#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>

#include "llcuda/llcuda.h"
#include "runtime/base/log.h"
#include "runtime/base/result.h"

namespace llcuda::capi {

/// Writes the error, if the caller wants it, and gives its status.
llcuda_status report(const Error& error, llcuda_error* out);

/// What is said goes to the caller's function, which may be NULL.
LogSink sinkOf(llcuda_log_callback log, void* user);

/// Runs `body`, a function that gives Result<void>.
template <typename Body>
llcuda_status guarded(llcuda_error* error, Body body) {
  try {
    const Result<void> result = body();
    return result ? report({ErrorCode{}, ""}, error) : report(result.error(), error);
  } catch (const std::bad_alloc&) {
    return report(outOfMemory("host memory does not suffice"), error);
  } catch (const std::exception& exception) {
    return report(internalError(exception.what()), error);
  }
}

/// `defaults` with the fields that the caller's struct has: an older caller's is shorter. kUsage when `struct_bytes`
/// was not set.
template <typename Options>
Result<Options> optionsOf(const Options* given, Options defaults) {
  if (!given)
    return defaults;
  if (given->struct_bytes < sizeof(given->struct_bytes))
    return usageError("struct_bytes of the options is not set; call the _init function first");
  const std::size_t known = given->struct_bytes < sizeof(Options) ? given->struct_bytes : sizeof(Options);
  std::memcpy(&defaults, given, known);
  return defaults;
}

/// Fills the caller's struct as far as the caller knows it: an older caller's is shorter, a newer one's longer.
template <typename Struct>
void handOut(Struct filled, Struct* to) {
  if (!to || to->struct_bytes < sizeof(to->struct_bytes))
    return;
  filled.struct_bytes = to->struct_bytes < sizeof(Struct) ? to->struct_bytes : sizeof(Struct);
  std::memcpy(to, &filled, filled.struct_bytes);
}

/// Copies `values` to the caller's array and says how many there are: kUsage when they do not fit.
template <typename Values, typename Value>
Result<void> copyOut(const Values& values, Value* to, std::size_t capacity, std::size_t* count) {
  if (count)
    *count = values.size();
  if (values.size() > capacity)
    return usageError("there is room for ", capacity, " of ", values.size());
  if (!values.empty())
    std::memcpy(to, values.data(), values.size() * sizeof(Value));
  return {};
}

} // namespace llcuda::capi
