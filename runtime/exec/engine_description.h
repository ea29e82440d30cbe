// SPDX-License-Identifier: Apache-2.0
// What an engine says about itself, as JSON: for llcuda_engine_describe and llcuda-inspect. Field names are part of
// both interfaces.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/engine/engine.h"

namespace llcuda {

/// The model, its compiler, limits, targets, tokens and templates, and what it says of sampling.
nlohmann::ordered_json engineDescription(const Engine& engine);

/// The bytes that `slots` sequences of `context` positions take on a device: memory_plan.h.
nlohmann::ordered_json memoryDescription(const Engine& engine, uint32_t context, uint32_t slots);

/// "q8_0", or "q8_0/q4_0" for keys and values.
std::string cacheText(const Engine& engine);

/// What the model says of how to sample it.
nlohmann::ordered_json samplingDescription(const Engine& engine);

} // namespace llcuda
