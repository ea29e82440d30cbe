// SPDX-License-Identifier: Apache-2.0
// What a file holds, as JSON and as text for people. Field names of the JSON are part of the tool's interface.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "compiler/ingest/gguf_reader.h"
#include "compiler/ingest/safetensors_set.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/memory_plan.h"
#include "tools/llcuda-inspect/measured_memory.h"

namespace llcuda::inspect {

/// With `hashes` every tensor gets the XXH3-64 of its bytes, which reads the whole file.
nlohmann::ordered_json checkpointJson(const ingest::GgufFile& gguf, bool hashes);
std::string checkpointText(const ingest::GgufFile& gguf);
nlohmann::ordered_json checkpointJson(const ingest::SafetensorsSet& files, bool hashes);
std::string checkpointText(const ingest::SafetensorsSet& files);

struct MemoryRequest {
  uint32_t context;
  uint32_t slots;
  Result<MeasuredMemory> measured; ///< on a device, or why not
};
nlohmann::ordered_json engineJson(const Engine& engine, const std::optional<MemoryRequest>& memory);
/// What every weight is on the device: its bytes and their XXH3-64. Packs those that lie in the model's files.
Result<nlohmann::ordered_json> weightHashesJson(const Engine& engine, const std::string& weightsFrom);
/// What each kernel's sm_75 cubin holds, and what launches it where. kUnsupported for an engine without such code, and
/// where `nvdisasm` cannot be run.
Result<nlohmann::ordered_json> machineCodeJson(const Engine& engine, const std::string& nvdisasm);
std::string engineText(const Engine& engine, const std::optional<MemoryRequest>& memory);

} // namespace llcuda::inspect
