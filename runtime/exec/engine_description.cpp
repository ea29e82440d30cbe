// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/engine_description.h"

#include "codegen/formats/kv_names.h"
#include "runtime/exec/memory_plan.h"
#include "runtime/text/text_config.h"

namespace llcuda {
namespace {

using nlohmann::ordered_json;

ordered_json compilerDescription(const fb::Compiler& compiler) {
  ordered_json json = {{"version", flatbuffers::GetString(compiler.version())},
                       {"nvrtc", flatbuffers::GetString(compiler.nvrtc())},
                       {"flags", ordered_json::array()}};
  if (compiler.flags())
    for (const flatbuffers::String* flag : *compiler.flags()) json["flags"].push_back(flag->str());
  return json;
}

ordered_json modelDescription(const fb::Model& model) {
  return {{"architecture", flatbuffers::GetString(model.architecture())},
          {"name", flatbuffers::GetString(model.name())},
          {"source", flatbuffers::GetString(model.source())},
          {"layers", model.layers()},
          {"embedding", model.embedding()},
          {"heads", model.heads()},
          {"kv_heads", model.kv_heads()},
          {"head_size", model.head_size()},
          {"feed_forward", model.feed_forward()},
          {"vocabulary", model.vocabulary()},
          {"trained_context", model.trained_context()},
          {"pooling", fb::EnumNamePooling(model.pooling())},
          {"encoder", model.encoder()}};
}

ordered_json targetsDescription(const Engine& engine) {
  ordered_json targets = ordered_json::array();
  for (const auto& [kind, name] :
       {std::pair(fb::ImageKind::cubin_sm_75, "sm_75"), std::pair(fb::ImageKind::ptx_compute_75, "compute_75"),
        std::pair(fb::ImageKind::host_x86_64, "host")})
    if (engine.hasImages(kind))
      targets.push_back(name);
  return targets;
}

/// Of an engine without a text section everything is none.
ordered_json textDescription(const text::TextConfig& config) {
  ordered_json templates = ordered_json::array();
  if (!config.chatTemplate.empty())
    templates.push_back("");
  for (const auto& [name, source] : config.namedTemplates) templates.push_back(name);
  return {{"vocabulary", text::name(config.kind)}, {"bos", config.bos},        {"eos", config.eos},
          {"stop", config.endOfGeneration},        {"add_bos", config.addBos}, {"add_eos", config.addEos},
          {"chat_templates", std::move(templates)}};
}

text::TextConfig textConfigOf(const Engine& engine) {
  Result<text::TextConfig> config = text::parseTextConfig(engine.textConfig());
  return config ? *std::move(config) : text::TextConfig();
}

ordered_json samplingJson(const text::SamplingDefaults& sampling) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, value] : sampling.numbers) json[name] = value;
  if (!sampling.stages.empty())
    json["stages"] = sampling.stages;
  return json;
}

} // namespace

std::string cacheText(const Engine& engine) {
  const std::string keys(engine.cacheType(fb::KvPart::keys)), values(engine.cacheType(fb::KvPart::values));
  return keys == values ? keys : keys + "/" + values;
}

ordered_json samplingDescription(const Engine& engine) {
  return samplingJson(textConfigOf(engine).sampling);
}

ordered_json engineDescription(const Engine& engine) {
  const fb::Engine& metadata = engine.metadata();
  const text::TextConfig text = textConfigOf(engine);
  ordered_json json = {{"kind", "engine"},
                       {"file", engine.path()},
                       {"version", schema::kEngineVersion},
                       {"compiler", compilerDescription(*metadata.compiler())},
                       {"model", modelDescription(engine.model())},
                       {"max_context", metadata.max_context()},
                       {"max_batch", metadata.max_batch()},
                       {"page_tokens", metadata.page_tokens()},
                       {"kv_type", cacheText(engine)},
                       {"sampling", samplingJson(text.sampling)},
                       {"text", textDescription(text)},
                       {"targets", targetsDescription(engine)},
                       {"batch_invariant", metadata.batch_invariant()},
                       {"golden", metadata.golden() != nullptr},
                       {"weight_bytes", engine.weightBytes()},
                       {"file_bytes", engine.fileBytes()}};
  if (metadata.source_files())
    for (const fb::SourceFile* file : *metadata.source_files())
      json["source_files"].push_back({{"path", file->path()->str()}, {"bytes", file->bytes()}});
  return json;
}

ordered_json memoryDescription(const Engine& engine, uint32_t context, uint32_t slots) {
  const MemoryPlan plan = memoryPlan(engine, context, slots);
  ordered_json json = {
      {"context", context},   {"slots", slots}, {"weights", plan.weights}, {"constants", plan.constants},
      {"arena", plan.arena},  {"kv", plan.kv},  {"io", plan.io},           {"counters", plan.counters},
      {"total", plan.total()}};
  if (plan.states != 0)
    json["states"] = plan.states;
  for (const KvGroupPlan& group : plan.groups)
    json["groups"].push_back({{"window", group.window}, {"slot_pages", group.slotPages}, {"pages", group.pages}});
  for (const KvType type : kvTypes())
    if (const auto bytes = kvBytesAs(engine, plan, type))
      json["kv_as"][kvTypeName(type)] = *bytes;
  return json;
}

} // namespace llcuda
