// SPDX-License-Identifier: Apache-2.0
// Typed, bounded reads from an object of a config.json.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/models/config_limits.h"
#include "runtime/base/result.h"

namespace llcuda::models {

/// Views of a JSON object that outlives it. A null is as good as no key, except for has().
class HfKeys {
public:
  using Json = nlohmann::json;

  explicit HfKeys(const Json& object) : object(object) {}

  /// nullptr for a key that is missing or null.
  const Json* find(const char* key) const {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }
  /// The key is there, if only as null.
  bool has(const char* key) const { return object.contains(key); }

  Result<uint32_t> required(const char* key, Bounds bounds) const {
    return find(key) ? optional(key, 0, bounds) : badInput("has no ", key);
  }

  Result<uint32_t> optional(const char* key, uint32_t otherwise, Bounds bounds) const {
    const Json* value = find(key);
    if (!value)
      return otherwise;
    if (!value->is_number_unsigned())
      return badInput(key, " is not a whole number of at least 0");
    return checkBounds(key, value->get<uint64_t>(), bounds);
  }

  Result<double> number(const char* key, double otherwise) const {
    const Json* value = find(key);
    if (!value)
      return otherwise;
    if (!value->is_number() || !std::isfinite(value->get<double>()))
      return badInput(key, " is not a finite number");
    return value->get<double>();
  }

  Result<double> positive(const char* key, double otherwise) const {
    LLCUDA_ASSIGN_OR_RETURN(const double value, number(key, otherwise));
    if (find(key) && !(value > 0))
      return badInput(key, " is ", value, ", it must be above 0");
    return value;
  }

  Result<bool> flag(const char* key, bool otherwise) const {
    const Json* value = find(key);
    if (value && !value->is_boolean())
      return badInput(key, " is not true or false");
    return value ? value->get<bool>() : otherwise;
  }

  Result<std::string> text(const char* key, const std::string& otherwise) const {
    const Json* value = find(key);
    if (value && !value->is_string())
      return badInput(key, " is not a text");
    return value ? value->get<std::string>() : otherwise;
  }

  /// A list of `count` positive numbers.
  Result<std::vector<double>> divisors(const char* key, size_t count) const {
    const Json* value = find(key);
    if (!value || !value->is_array() || value->size() != count)
      return badInput(key, " is not a list of ", count, " numbers");
    std::vector<double> numbers;
    for (const Json& item : *value) {
      if (!item.is_number() || !std::isfinite(item.get<double>()) || !(item.get<double>() > 0))
        return badInput(key, '[', numbers.size(), "] is not a number above 0");
      numbers.push_back(item.get<double>());
    }
    return numbers;
  }

private:
  const Json& object;
};

} // namespace llcuda::models
