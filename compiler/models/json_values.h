// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "compiler/models/values.h"

namespace llcuda::models {

/// An object of a config.json, and the one around it, which says what the inner one leaves out. They outlive this. A
/// name with a dot is that of a key in one of its objects: "rope_parameters.rope_theta".
class JsonValues final : public Values {
public:
  explicit JsonValues(const nlohmann::json& object, const nlohmann::json* outer = nullptr)
      : json(&object), outer(outer) {}

  std::optional<Stated> find(std::string_view name) const override;
  /// The object of a key, an empty one without the key.
  Result<JsonValues> object(std::string_view name) const;
  bool isEmpty() const;

private:
  const nlohmann::json* look(std::string_view name) const;

  const nlohmann::json* json;
  const nlohmann::json* outer;
};

} // namespace llcuda::models
