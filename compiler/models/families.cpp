// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/message_parts.h"
#include "compiler/models/family_list.h"
#include "compiler/models/refused_families.h"

namespace llcuda::models {
namespace {

#define LLCUDA_ADDRESS_OF(name) &k##name,
constexpr const Family* kFamilies[] = {LLCUDA_FAMILIES(LLCUDA_ADDRESS_OF)};
#undef LLCUDA_ADDRESS_OF

/// The family that has `wanted` among its names of a kind.
const Family* find(FamilyNames Family::*names, std::string_view wanted) {
  for (const Family* family : kFamilies)
    for (const std::string_view name : family->*names)
      if (name == wanted)
        return family;
  return nullptr;
}

/// What an unknown name is known to lack; empty for one that is not known at all.
std::string missingOf(std::string_view name) {
  for (const RefusedFamily& family : refusedFamilies())
    for (const FamilyNames* names : {&family.gguf, &family.huggingFace})
      for (const std::string_view its : *names)
        if (its == name)
          return ": " + std::string(family.models) + " needs " + std::string(family.missing);
  return "";
}

Error unknown(std::string_view wanted, FamilyNames Family::*names) {
  std::string all;
  for (const Family* family : kFamilies)
    for (const std::string_view name : family->*names) all += (all.empty() ? "" : ", ") + std::string(name);
  return unsupported("the architecture ", ingest::Quoted{wanted}, " is not supported", missingOf(wanted),
                     "; supported: ", all);
}

} // namespace

std::span<const Family* const> families() {
  return kFamilies;
}

Result<const Family*> familyOfGguf(std::string_view architecture) {
  const Family* const family = find(&Family::gguf, architecture);
  return family ? Result<const Family*>(family) : unknown(architecture, &Family::gguf);
}

Result<const Family*> familyOfHf(std::string_view modelClass, std::string_view modelType) {
  const Family* const family =
      modelClass.empty() ? find(&Family::modelTypes, modelType) : find(&Family::huggingFace, modelClass);
  return family ? Result<const Family*>(family)
                : unknown(modelClass.empty() ? modelType : modelClass, &Family::huggingFace);
}

} // namespace llcuda::models
