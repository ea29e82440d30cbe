// SPDX-License-Identifier: Apache-2.0
// Families whose files are known and not compiled, each with the part that is missing: for errors and docs/models.md.
#pragma once

#include <span>
#include <string_view>

#include "compiler/models/family.h"

namespace llcuda::models {

struct RefusedFamily {
  std::string_view models;  ///< for people
  FamilyNames gguf;         ///< general.architecture of its GGUF files
  FamilyNames huggingFace;  ///< architectures[0] of its config.json
  std::string_view missing; ///< what it needs and no family here has
};

std::span<const RefusedFamily> refusedFamilies();

} // namespace llcuda::models
