// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/gguf_keys.h"

#include <cmath>

namespace llcuda::models {

using ingest::GgufType;
using ingest::GgufValue;

Result<uint32_t> GgufKeys::required(const std::string& key, Bounds bounds) const {
  const GgufValue* value = find(key);
  if (!value)
    return badInput("the file has no ", prefix, key);
  return read(key, *value, bounds);
}

Result<uint32_t> GgufKeys::optional(const std::string& key, uint32_t fallback, Bounds bounds) const {
  const GgufValue* value = find(key);
  return value ? read(key, *value, bounds) : checkBounds(prefix + key, fallback, bounds);
}

Result<double> GgufKeys::number(const std::string& key, double fallback) const {
  const GgufValue* value = find(key);
  if (!value)
    return fallback;
  const std::optional<double> number = value->asDouble();
  if (!number || !std::isfinite(*number))
    return badInput(prefix, key, " is not a finite number");
  return *number;
}

Result<double> GgufKeys::positive(const std::string& key, double fallback) const {
  LLCUDA_ASSIGN_OR_RETURN(const double value, number(key, fallback));
  if (!(value > 0))
    return badInput(prefix, key, " is ", value, ", it must be above 0");
  return value;
}

Result<bool> GgufKeys::flag(const std::string& key, bool fallback) const {
  const GgufValue* value = find(key);
  if (!value)
    return fallback;
  const std::optional<bool> flag = value->asBool();
  if (!flag)
    return badInput(prefix, key, " is not true or false");
  return *flag;
}

Result<std::string> GgufKeys::text(const std::string& key, const std::string& fallback) const {
  const GgufValue* value = find(key);
  if (!value)
    return fallback;
  const auto text = value->asString();
  if (!text)
    return badInput(prefix, key, " is not a string");
  return std::string(*text);
}

Result<std::vector<bool>> GgufKeys::pattern(const std::string& key, uint32_t fallbackPeriod, uint32_t count) const {
  const GgufValue* value = find(key);
  std::vector<bool> flags(count);
  if (value && value->type() == GgufType::kArray) {
    if (value->count() != count)
      return badInput(prefix, key, " has ", value->count(), " elements for ", count, " layers");
    for (uint32_t i = 0; i < count; ++i) {
      const auto element = value->signedAt(i);
      if (!element)
        return badInput(prefix, key, " is not a list of flags");
      flags[i] = *element != 0;
    }
    return flags;
  }
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t period, optional(key, fallbackPeriod, {1, UINT32_MAX}));
  for (uint32_t i = 0; i < count; ++i) flags[i] = i % period != period - 1;
  return flags;
}

// A list with one number per layer is read when all are equal.
Result<uint32_t> GgufKeys::read(const std::string& key, const GgufValue& value, Bounds bounds) const {
  if (value.type() != GgufType::kArray) {
    const std::optional<uint64_t> number = value.asUnsigned();
    if (!number)
      return badInput(prefix, key, " is not a whole number of at least 0");
    return checkBounds(prefix + key, *number, bounds);
  }
  const std::optional<int64_t> first = value.signedAt(0);
  if (!first || *first < 0)
    return badInput(prefix, key, " is not a list of whole numbers of at least 0");
  for (uint64_t i = 1; i < value.count(); ++i)
    if (value.signedAt(i) != first)
      return unsupported(prefix, key, " differs from layer to layer");
  return checkBounds(prefix + key, static_cast<uint64_t>(*first), bounds);
}

} // namespace llcuda::models
