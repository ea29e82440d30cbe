// SPDX-License-Identifier: Apache-2.0
// The statuses and sentences of text_abi.h as Error values.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/text/text_abi.h"

namespace llcuda::text {

inline const uint8_t* bytesOf(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

inline std::string takeText(llcuda_text_bytes bytes) {
  std::string text(reinterpret_cast<const char*>(bytes.data), bytes.size);
  llcuda_text_bytes_free(bytes);
  return text;
}

inline Error takeError(int32_t status, llcuda_text_bytes message) {
  return Error{static_cast<ErrorCode>(status), takeText(message)};
}

} // namespace llcuda::text
