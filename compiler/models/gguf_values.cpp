// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/gguf_values.h"

namespace llcuda::models {
namespace {

using ingest::GgufType;
using ingest::GgufValue;

Stated wholeOr(std::optional<int64_t> whole, std::optional<double> number) {
  if (whole && *whole >= 0)
    return static_cast<uint64_t>(*whole);
  return number ? Stated(*number) : Stated(Unreadable());
}

/// Element `i` of an array of numbers or flags.
Stated elementOf(const GgufValue& array, uint64_t i) {
  switch (array.elementType()) {
  case GgufType::kBool:
    return array.signedAt(i).value_or(0) != 0;
  case GgufType::kF32:
  case GgufType::kF64:
    return wholeOr(std::nullopt, array.doubleAt(i));
  default:
    return wholeOr(array.signedAt(i), array.doubleAt(i));
  }
}

Stated listOf(const GgufValue& array) {
  if (array.count() > kMaxListed)
    return Unreadable();
  List items;
  if (const auto texts = array.asStrings()) {
    for (const std::string_view text : *texts) items.emplace_back(std::string(text));
    return items;
  }
  for (uint64_t i = 0; i < array.count(); ++i) items.push_back(elementOf(array, i));
  return items;
}

} // namespace

std::optional<Stated> GgufValues::find(std::string_view name) const {
  const GgufValue* value = file.find(title(name));
  if (!value)
    return std::nullopt;
  if (value->type() == GgufType::kArray)
    return listOf(*value);
  if (const auto text = value->asString())
    return Stated(std::string(*text));
  if (const auto flag = value->asBool())
    return Stated(*flag);
  if (const auto whole = value->asUnsigned())
    return Stated(*whole);
  return wholeOr(std::nullopt, value->asDouble());
}

} // namespace llcuda::models
