// SPDX-License-Identifier: Apache-2.0
// JSON from outside: of bounded depth and size, and no key of an object comes twice.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "runtime/base/result.h"

namespace llcuda::ingest {

struct JsonLimits {
  size_t depth = 32;         ///< of arrays and objects in one another
  size_t values = 1'000'000; ///< of any kind, keys aside: they decide how much memory the text takes
};

/// The value of a whole text. Messages lack the file's name.
Result<nlohmann::json> parseJson(std::string_view text, const JsonLimits& limits = {});

/// The value of a file; messages start with its path.
Result<nlohmann::json> readJsonFile(const std::string& path, const JsonLimits& limits = {});

} // namespace llcuda::ingest
