// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "codegen/formats/kv_names.h"
#include "runtime/engine/weight_files.h"
#include "runtime/exec/engine_description.h"
#include "runtime/schema/engine_hash.h"
#include "runtime/schema/phase_facts.h"
#include "tools/llcuda-inspect/report.h"
#include "tools/llcuda-inspect/text_table.h"

namespace llcuda::inspect {
namespace {

using nlohmann::ordered_json;

const fb::Image* imageOf(const fb::Kernel& kernel, fb::ImageKind kind) {
  for (const fb::Image* image : *kernel.images())
    if (image->kind() == kind)
      return image;
  return nullptr;
}

uint64_t imageBytes(const fb::Kernel& kernel, fb::ImageKind kind) {
  const fb::Image* image = imageOf(kernel, kind);
  return image ? image->span().bytes() : 0;
}

/// Launches of a step that samples.
uint32_t nodesOf(const fb::Phase& phase) {
  return stepOf(phase, true).count();
}

/// Those of the layer that has most; 0 for a phase without layers.
uint32_t nodesPerLayer(const fb::Phase& phase) {
  std::map<int32_t, uint32_t> nodes;
  for (uint32_t i = 0; i < nodesOf(phase); ++i)
    if (const int32_t layer = phase.launches()->Get(i)->layer(); layer >= 0)
      ++nodes[layer];
  uint32_t most = 0;
  for (const auto& [layer, count] : nodes) most = std::max(most, count);
  return most;
}

/// Of the decode phase for one row, which is what one token of one sequence takes.
uint32_t nodesPerLayer(const fb::Engine& engine) {
  for (const fb::Phase* phase : *engine.phases())
    if (phase->feeds_back() && phase->rows() == 1)
      return nodesPerLayer(*phase);
  return 0;
}

ordered_json kernelJson(const fb::Kernel& kernel) {
  return {{"name", kernel.name()->str()},
          {"op", kernel.op()->str()},
          {"threads", kernel.threads()},
          {"registers", kernel.registers()},
          {"shared_bytes", kernel.static_shared_bytes() + kernel.dynamic_shared_bytes()},
          {"dynamic_shared_bytes", kernel.dynamic_shared_bytes()},
          {"spill_bytes", kernel.spill_bytes()},
          {"cubin_bytes", imageBytes(kernel, fb::ImageKind::cubin_sm_75)},
          {"ptx_bytes", imageBytes(kernel, fb::ImageKind::ptx_compute_75)},
          {"host", imageOf(kernel, fb::ImageKind::host_x86_64) != nullptr}};
}

ordered_json phaseJson(const fb::Phase& phase) {
  ordered_json tails = ordered_json::array();
  for (const fb::Tail* tail : *phase.tails())
    tails.push_back({{"kind", fb::EnumNameTailKind(tail->kind())},
                     {"outputs", tail->outputs()},
                     {"nodes", launchesOf(phase, tail->kind()).count()}});
  return {{"kind", phaseName(phase)},    {"rows", phase.rows()},    {"row_block", phase.row_block()},
          {"outputs", outputsOf(phase)}, {"nodes", nodesOf(phase)}, {"nodes_per_layer", nodesPerLayer(phase)},
          {"tails", std::move(tails)}};
}

ordered_json segmentsJson(const Engine& engine) {
  static constexpr const char* kNames[] = {"constants", "weights", "text", "images", "metadata"};
  static_assert(std::size(kNames) == schema::kSegmentCount);
  ordered_json segments = ordered_json::array();
  for (uint32_t i = 0; i < schema::kSegmentCount; ++i)
    segments.push_back({{"name", kNames[i]}, {"bytes", engine.segment(static_cast<schema::SegmentKind>(i)).size()}});
  return segments;
}

ordered_json memoryJson(const Engine& engine, const MemoryRequest& request) {
  ordered_json json = memoryDescription(engine, request.context, request.slots);
  if (const Result<MeasuredMemory>& measured = request.measured)
    json["besides"] = {{"device", measured->device},
                       {"context", measured->context},
                       {"modules_and_graphs", measured->besides},
                       {"graphs", measured->graphs}};
  else
    json["besides"] = {{"not_measured", measured.error().message}};
  return json;
}

/// Pages of the pools of each group.
std::string groupsText(const Engine& engine, const MemoryPlan& plan) {
  std::string text;
  for (const KvGroupPlan& group : plan.groups) {
    const auto pools = std::ranges::count_if(*engine.metadata().buffers(), [&](const fb::Buffer* buffer) {
      return buffer->kind() == fb::BufferKind::kv && buffer->window() == group.window;
    });
    text += ", " + std::to_string(group.pages) + " pages in each of " + std::to_string(pools) + " KV pools";
    if (group.window != 0)
      text += " of a window of " + std::to_string(group.window);
  }
  return text;
}

/// What is no part of the plan.
std::string besidesText(const Result<MeasuredMemory>& measured) {
  if (!measured)
    return "besides: a CUDA context, modules and graphs, which took 538 MiB on an H200; not measured here: " +
           measured.error().message + "\n";
  return "besides, on " + measured->device + ": " + readableBytes(measured->context) +
         " are in use with a CUDA context (what other programs hold is in it), modules and " +
         std::to_string(measured->graphs) + " graphs take " + readableBytes(measured->besides) + "\n";
}

std::string memoryText(const Engine& engine, const MemoryRequest& request) {
  const MemoryPlan plan = memoryPlan(engine, request.context, request.slots);
  std::vector<std::vector<std::string>> rows = {{"device memory", "bytes", "size"}};
  auto add = [&](const char* name, uint64_t bytes) {
    rows.push_back({name, std::to_string(bytes), readableBytes(bytes)});
  };
  add("weights", plan.weights);
  add("constants", plan.constants);
  add("arena", plan.arena);
  add("KV cache", plan.kv);
  if (plan.states != 0)
    add("states", plan.states);
  add("io", plan.io);
  add("counters", plan.counters);
  add("all", plan.total());
  std::vector<std::vector<std::string>> types = {{"KV cache compiled as", "bytes", "all with it"}};
  for (const KvType type : kvTypes())
    if (const auto bytes = kvBytesAs(engine, plan, type))
      types.push_back(
          {std::string(kvTypeName(type)), std::to_string(*bytes), readableBytes(plan.total() - plan.kv + *bytes)});
  return "\ncontext " + std::to_string(request.context) + ", " + std::to_string(request.slots) + " slots" +
         groupsText(engine, plan) + "\n" + textTable(rows) + besidesText(request.measured) + "\n" + textTable(types);
}

std::string kernelsText(const fb::Engine& engine) {
  std::vector<std::vector<std::string>> rows = {{"kernel", "threads", "registers", "shared", "spills", "cubin", "ptx"}};
  for (const fb::Kernel* kernel : *engine.kernels())
    rows.push_back({kernel->name()->str(), std::to_string(kernel->threads()), std::to_string(kernel->registers()),
                    std::to_string(kernel->static_shared_bytes() + kernel->dynamic_shared_bytes()),
                    std::to_string(kernel->spill_bytes()),
                    std::to_string(imageBytes(*kernel, fb::ImageKind::cubin_sm_75)),
                    std::to_string(imageBytes(*kernel, fb::ImageKind::ptx_compute_75))});
  return textTable(rows);
}

/// The files that the weights are in, when they are not in the engine.
std::string sourcesText(const fb::Engine& engine) {
  std::string text;
  if (engine.source_files())
    for (const fb::SourceFile* file : *engine.source_files())
      text += "weights in " + oneLine(file->path()->string_view(), 200) + " (" + readableBytes(file->bytes()) + ")\n";
  return text;
}

std::string samplingText(const Engine& engine) {
  std::string text;
  const ordered_json facts = samplingDescription(engine);
  for (const auto& [name, value] : facts.items())
    text += (text.empty() ? "sampling: " : ", ") + name + " " + value.dump();
  return text.empty() ? text : text + "\n";
}

std::string phasesText(const fb::Engine& engine) {
  std::vector<std::vector<std::string>> rows = {{"phase", "rows", "nodes", "nodes per layer"}};
  for (const fb::Phase* phase : *engine.phases())
    rows.push_back({phaseName(*phase), std::to_string(phase->rows()), std::to_string(nodesOf(*phase)),
                    std::to_string(nodesPerLayer(*phase))});
  return textTable(rows);
}

} // namespace

ordered_json engineJson(const Engine& engine, const std::optional<MemoryRequest>& memory) {
  const fb::Engine& metadata = engine.metadata();
  ordered_json json = engineDescription(engine);
  json["arena_bytes"] = metadata.arena_bytes();
  json["nodes_per_layer"] = nodesPerLayer(metadata);
  json["segments"] = segmentsJson(engine);
  json["phases"] = json["kernels"] = ordered_json::array();
  for (const fb::Phase* phase : *metadata.phases()) json["phases"].push_back(phaseJson(*phase));
  for (const fb::Kernel* kernel : *metadata.kernels()) json["kernels"].push_back(kernelJson(*kernel));
  if (memory)
    json["memory"] = memoryJson(engine, *memory);
  return json;
}

Result<ordered_json> weightHashesJson(const Engine& engine, const std::string& weightsFrom) {
  LLCUDA_ASSIGN_OR_RETURN(const WeightFiles files, WeightFiles::open(engine, weightsFrom));
  const auto& buffers = *engine.metadata().buffers();
  const auto segment = engine.segment(schema::SegmentKind::kWeights);
  std::map<uint32_t, const fb::WeightSource*> sources;
  if (engine.metadata().weight_sources())
    for (const fb::WeightSource* source : *engine.metadata().weight_sources()) sources[source->buffer()] = source;
  ordered_json weights = ordered_json::array();
  for (uint32_t b = 0; b < buffers.size(); ++b) {
    if (buffers[b]->kind() != fb::BufferKind::weight)
      continue;
    ordered_json& entry =
        weights.emplace_back(ordered_json{{"name", buffers[b]->name()->str()}, {"bytes", buffers[b]->bytes()}});
    const auto source = sources.find(b);
    if (source == sources.end()) {
      entry["xxh3"] = hexadecimal(schema::hashBytes(segment.subspan(buffers[b]->offset(), buffers[b]->bytes())));
      continue;
    }
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, files.pack(engine, *source->second));
    entry["xxh3"] = hexadecimal(schema::hashBytes(bytes));
  }
  return weights;
}

std::string engineText(const Engine& engine, const std::optional<MemoryRequest>& memory) {
  const fb::Engine& metadata = engine.metadata();
  const fb::Model& model = engine.model();
  const std::string nvrtc = flatbuffers::GetString(metadata.compiler()->nvrtc());
  std::string text =
      engine.path() + ": llcuda engine, compiled by llcuda " + flatbuffers::GetString(metadata.compiler()->version()) +
      (nvrtc.empty() ? "" : " with NVRTC " + nvrtc) + "\n" + flatbuffers::GetString(model.architecture()) + " '" +
      oneLine(flatbuffers::GetString(model.name()), 60) + "' from " +
      oneLine(flatbuffers::GetString(model.source()), 100) + ": " + std::to_string(model.layers()) + " layers, " +
      std::to_string(model.embedding()) + " wide, " + std::to_string(model.heads()) + " heads of " +
      std::to_string(model.head_size()) + " over " + std::to_string(model.kv_heads()) + " KV heads, vocabulary " +
      std::to_string(model.vocabulary()) + "\n" + "context up to " + std::to_string(metadata.max_context()) +
      ", batch up to " + std::to_string(metadata.max_batch()) + ", KV " + cacheText(engine) + "\n" +
      samplingText(engine) + sourcesText(metadata) + "\n" + kernelsText(metadata) + "\n" + phasesText(metadata);
  if (memory)
    text += memoryText(engine, *memory);
  return text;
}

} // namespace llcuda::inspect
