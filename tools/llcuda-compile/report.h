// SPDX-License-Identifier: Apache-2.0
// What was compiled, as JSON: field names are part of the tool's interface.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "compiler/pipeline/compile.h"
#include "runtime/engine/engine.h"

namespace llcuda::tools {

/// Of the engine in `path`; `report` is null for one that was compiled before.
nlohmann::ordered_json reportJson(const Engine& engine, const std::string& path, const pipeline::CompileReport* report,
                                  double seconds);

/// To a file, to standard output for "-", nowhere for "".
Result<void> writeReport(const std::string& to, const nlohmann::ordered_json& report);

} // namespace llcuda::tools
