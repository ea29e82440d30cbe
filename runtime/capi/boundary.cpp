// SPDX-License-Identifier: Apache-2.0
#include "runtime/capi/boundary.h"

#include <algorithm>

#include "runtime/base/version.h"

namespace llcuda::capi {
namespace {

static_assert(static_cast<int>(ErrorCode{}) == LLCUDA_OK && static_cast<int>(ErrorCode::kUsage) == LLCUDA_USAGE &&
              static_cast<int>(ErrorCode::kBadInput) == LLCUDA_BAD_INPUT &&
              static_cast<int>(ErrorCode::kUnsupported) == LLCUDA_UNSUPPORTED &&
              static_cast<int>(ErrorCode::kSelfCheckFailed) == LLCUDA_SELF_CHECK_FAILED &&
              static_cast<int>(ErrorCode::kNoDevice) == LLCUDA_NO_DEVICE &&
              static_cast<int>(ErrorCode::kOutOfMemory) == LLCUDA_OUT_OF_MEMORY &&
              static_cast<int>(ErrorCode::kCancelled) == LLCUDA_CANCELLED &&
              static_cast<int>(ErrorCode::kInternal) == LLCUDA_INTERNAL &&
              static_cast<int>(ErrorCode::kBusy) == LLCUDA_BUSY);

/// The longest prefix of up to `limit` bytes that does not end inside a character.
std::size_t wholeCharacters(const std::string& text, std::size_t limit) {
  if (text.size() <= limit)
    return text.size();
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return limit;
}

} // namespace

llcuda_status report(const Error& error, llcuda_error* out) {
  if (out) {
    out->status = static_cast<int32_t>(error.code);
    const std::size_t bytes = wholeCharacters(error.message, sizeof(out->message) - 1);
    std::copy_n(error.message.data(), bytes, out->message);
    out->message[bytes] = 0;
  }
  return static_cast<llcuda_status>(error.code);
}

LogSink sinkOf(llcuda_log_callback log, void* user) {
  if (!log)
    return {};
  return [log, user](LogLevel level, std::string_view line) {
    log(static_cast<int32_t>(level), std::string(line).c_str(), user);
  };
}

} // namespace llcuda::capi

extern "C" const char* llcuda_version(void) {
  return llcuda::kVersion;
}

extern "C" const char* llcuda_status_name(int32_t status) {
  switch (status) {
#define LLCUDA_STATUS_NAME(name)                                                                                       \
  case name:                                                                                                           \
    return #name
    LLCUDA_STATUS_NAME(LLCUDA_OK);
    LLCUDA_STATUS_NAME(LLCUDA_USAGE);
    LLCUDA_STATUS_NAME(LLCUDA_BAD_INPUT);
    LLCUDA_STATUS_NAME(LLCUDA_UNSUPPORTED);
    LLCUDA_STATUS_NAME(LLCUDA_SELF_CHECK_FAILED);
    LLCUDA_STATUS_NAME(LLCUDA_NO_DEVICE);
    LLCUDA_STATUS_NAME(LLCUDA_OUT_OF_MEMORY);
    LLCUDA_STATUS_NAME(LLCUDA_CANCELLED);
    LLCUDA_STATUS_NAME(LLCUDA_INTERNAL);
    LLCUDA_STATUS_NAME(LLCUDA_BUSY);
#undef LLCUDA_STATUS_NAME
  }
  return "LLCUDA_?";
}
