// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/json_values.h"

#include <nlohmann/json.hpp>

namespace llcuda::models {
namespace {

using Json = nlohmann::json;

Stated scalarOf(const Json& json) {
  if (json.is_null())
    return Null();
  if (json.is_boolean())
    return json.get<bool>();
  if (json.is_number_unsigned() || (json.is_number_integer() && json.get<int64_t>() >= 0))
    return json.get<uint64_t>();
  if (json.is_number())
    return json.get<double>();
  if (json.is_string())
    return json.get<std::string>();
  return Unreadable();
}

} // namespace

const Json* JsonValues::look(std::string_view name) const {
  for (const Json* place : {json, outer})
    if (place)
      if (const auto found = place->find(name); found != place->end())
        return &*found;
  const size_t dot = name.rfind('.');
  const Json* const within = dot == name.npos ? nullptr : look(name.substr(0, dot));
  if (!within || !within->is_object())
    return nullptr;
  const auto found = within->find(name.substr(dot + 1));
  return found == within->end() ? nullptr : &*found;
}

std::optional<Stated> JsonValues::find(std::string_view name) const {
  const Json* const found = look(name);
  if (!found)
    return std::nullopt;
  if (!found->is_array())
    return scalarOf(*found);
  if (found->size() > kMaxListed)
    return Stated(Unreadable());
  List items;
  for (const Json& item : *found) items.push_back(scalarOf(item));
  return Stated(std::move(items));
}

Result<JsonValues> JsonValues::object(std::string_view name) const {
  static const Json kEmpty = Json::object();
  const Json* const found = look(name);
  if (!found || found->is_null())
    return JsonValues(kEmpty);
  if (!found->is_object())
    return badInput(name, " is not an object");
  return JsonValues(*found);
}

bool JsonValues::isEmpty() const {
  return json->empty();
}

} // namespace llcuda::models
