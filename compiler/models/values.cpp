// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/values.h"

#include <cmath>

namespace llcuda::models {
namespace {

std::optional<double> finite(const Stated& value) {
  if (const auto* whole = std::get_if<uint64_t>(&value))
    return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&value);
  return number && std::isfinite(*number) ? std::optional(*number) : std::nullopt;
}

Result<uint32_t> whole(const std::string& title, const Stated& value, Bounds bounds) {
  const auto* number = std::get_if<uint64_t>(&value);
  if (!number)
    return badInput(title, " is not a whole number of at least 0");
  return checkBounds(title, *number, bounds);
}

} // namespace

std::optional<Stated> Values::present(std::string_view name) const {
  std::optional<Stated> value = name.empty() ? std::nullopt : find(name);
  return value && !std::holds_alternative<Null>(*value) ? std::move(value) : std::nullopt;
}

bool Values::isNull(std::string_view name) const {
  const std::optional<Stated> value = name.empty() ? std::nullopt : find(name);
  return value && std::holds_alternative<Null>(*value);
}

Result<uint32_t> Values::required(std::string_view name, Bounds bounds) const {
  const std::optional<Stated> value = present(name);
  return value ? whole(title(name), *value, bounds) : badInput("has no ", title(name));
}

Result<uint32_t> Values::optional(std::string_view name, uint32_t otherwise, Bounds bounds) const {
  const std::optional<Stated> value = present(name);
  return value ? whole(title(name), *value, bounds) : checkBounds(title(name), otherwise, bounds);
}

Result<std::vector<uint32_t>> Values::each(std::string_view name, size_t count, uint32_t otherwise,
                                           Bounds bounds) const {
  const std::optional<Stated> value = present(name);
  const auto* listed = value ? std::get_if<List>(&*value) : nullptr;
  if (!listed) {
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t number, optional(name, otherwise, bounds));
    return std::vector<uint32_t>(count, number);
  }
  if (listed->size() != count)
    return badInput(title(name), " has ", listed->size(), " elements for ", count, " layers");
  std::vector<uint32_t> numbers;
  for (const Stated& item : *listed) {
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t number,
                            whole(title(name) + "[" + std::to_string(numbers.size()) + "]", item, bounds));
    numbers.push_back(number);
  }
  return numbers;
}

Result<double> Values::number(std::string_view name, double otherwise) const {
  const std::optional<Stated> value = present(name);
  if (!value)
    return otherwise;
  const std::optional<double> number = finite(*value);
  return number ? Result<double>(*number) : badInput(title(name), " is not a finite number");
}

Result<double> Values::positive(std::string_view name, double otherwise) const {
  LLCUDA_ASSIGN_OR_RETURN(const double value, number(name, otherwise));
  if (has(name) && !(value > 0))
    return badInput(title(name), " is ", value, ", it must be above 0");
  return value;
}

Result<double> Values::notNegative(std::string_view name, double otherwise) const {
  LLCUDA_ASSIGN_OR_RETURN(const double value, number(name, otherwise));
  if (value < 0)
    return badInput(title(name), " is ", value, ", it must not be negative");
  return value;
}

Result<bool> Values::flag(std::string_view name, bool otherwise) const {
  const std::optional<Stated> value = present(name);
  const auto* flag = value ? std::get_if<bool>(&*value) : &otherwise;
  return flag ? Result<bool>(*flag) : badInput(title(name), " is not true or false");
}

Result<std::string> Values::text(std::string_view name, const std::string& otherwise) const {
  const std::optional<Stated> value = present(name);
  const auto* text = value ? std::get_if<std::string>(&*value) : &otherwise;
  return text ? Result<std::string>(*text) : badInput(title(name), " is not a text");
}

Result<std::optional<List>> Values::list(std::string_view name, size_t count) const {
  std::optional<Stated> value = present(name);
  if (!value)
    return std::optional<List>();
  auto* listed = std::get_if<List>(&*value);
  if (!listed || listed->size() != count)
    return badInput(title(name), " is not a list of ", count, " values");
  return std::optional(std::move(*listed));
}

Result<std::vector<double>> Values::divisors(std::string_view name, size_t count) const {
  LLCUDA_ASSIGN_OR_RETURN(const std::optional<List> listed, list(name, count));
  if (!listed)
    return badInput(title(name), " is not a list of ", count, " values");
  std::vector<double> numbers;
  for (const Stated& item : *listed) {
    const std::optional<double> number = finite(item);
    if (!number || !(*number > 0))
      return badInput(title(name), '[', numbers.size(), "] is not a number above 0");
    numbers.push_back(*number);
  }
  return numbers;
}

} // namespace llcuda::models
