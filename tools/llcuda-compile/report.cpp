// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-compile/report.h"

#include <iostream>

#include "runtime/base/output_file.h"
#include "runtime/exec/memory_plan.h"

namespace llcuda::tools {

using nlohmann::ordered_json;

ordered_json reportJson(const Engine& engine, const std::string& path, const pipeline::CompileReport* report,
                        double seconds) {
  const fb::Engine& metadata = engine.metadata();
  const MemoryPlan memory = memoryPlan(engine, metadata.max_context(), metadata.max_batch());
  const flatbuffers::String* nvrtc = metadata.compiler()->nvrtc();
  ordered_json json = {
      {"engine", path},
      {"cached", report == nullptr},
      {"bytes", engine.fileBytes()},
      {"seconds", seconds},
      {"nvrtc", nvrtc ? nvrtc->str() : ""},
      {"context", metadata.max_context()},
      {"sequences", metadata.max_batch()},
      {"memory",
       {{"total", memory.total()},
        {"weights", memory.shared()},
        {"kv_cache", memory.kv},
        {"buffers", memory.total() - memory.shared() - memory.kv}}},
  };
  if (!report)
    return json;
  json["kernels"] = report->kernels;
  json["cached_kernels"] = report->cachedKernels;
  json["spilled_bytes"] = report->spillBytes;
  json["decode_launches"] = report->decodeLaunches;
  json["launches_per_layer"] = report->launchesPerLayer;
  json["embedded_weight_bytes"] = report->embeddedWeightBytes;
  json["referenced_weight_bytes"] = report->referencedWeightBytes;
  json["notes"] = report->notes;
  json["warnings"] = report->warnings;
  return json;
}

Result<void> writeReport(const std::string& to, const ordered_json& report) {
  if (to.empty())
    return {};
  // A path may hold bytes that are no UTF-8; the report says it all the same.
  const std::string text = report.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  if (to != "-")
    return writeOutput(to, text);
  std::cout << text << std::flush;
  return std::cout ? Result<void>() : internalError("standard output: the report could not be written");
}

} // namespace llcuda::tools
