// SPDX-License-Identifier: Apache-2.0
// Values that the table of fields says are wrong, for each field and each form that has it.
#pragma once

#include <string>
#include <vector>

#include "runtime/server/api/fields.h"

namespace llcuda::server {

struct WrongField {
  FieldForm form;
  std::string name;
  Json value;
};

inline std::vector<Json> wrongValues(const Field& field) {
  if (!field.wrong.empty())
    return {Json::parse(field.wrong)};
  if (std::holds_alternative<std::string Params::*>(field.target))
    return {5, field.values.empty() ? Json(true) : Json("no such value")};
  if (std::holds_alternative<bool Params::*>(field.target) ||
      std::holds_alternative<std::optional<bool> Params::*>(field.target))
    return {"yes", 1};
  std::vector<Json> values = {"5", Json::array({1})};
  if (std::holds_alternative<int64_t Params::*>(field.target))
    values.push_back(field.range.least + 0.5);
  values.push_back(field.range.most + 1);
  values.push_back(field.range.isAbove ? field.range.least : field.range.least - 1);
  return values;
}

inline std::vector<WrongField> wrongFields(const FieldLimits&) {
  std::vector<WrongField> wrong;
  for (const Field& field : fieldTable())
    for (const FieldForm form : {kChat, kCompletions, kCompletion, kEmbeddings, kRerank})
      if ((field.forms & form) && !std::holds_alternative<std::monostate>(field.target))
        for (const Json& value : wrongValues(field)) wrong.push_back({form, std::string(field.name), value});
  return wrong;
}

} // namespace llcuda::server
