// SPDX-License-Identifier: Apache-2.0
// The body of a request as JSON, from a client that nobody trusts.
#pragma once

#include <cstddef>
#include <string_view>

#include "runtime/server/api/error_body.h"

namespace llcuda::server {

struct JsonLimits {
  std::size_t depth = 64;       ///< of objects and arrays in one another
  std::size_t values = 100'000; ///< objects, arrays, names, and all others
};

/// An object. 400: bytes that are no UTF-8, half of a surrogate pair, what is no JSON (the sentence says at which
/// byte), more than the limits, any value but an object. Of equal names the last one counts.
Checked<Json> parseBody(std::string_view text, const JsonLimits& limits = {});

} // namespace llcuda::server
