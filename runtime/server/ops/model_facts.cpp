// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/ops/model_facts.h"

#include <algorithm>
#include <ctime>
#include <string_view>

#include "runtime/server/api/fields.h"

namespace llcuda::server {
namespace {

std::string fileName(std::string_view path) {
  return std::string(path.substr(path.find_last_of('/') + 1));
}

std::string textOf(const api::Engine& engine, int32_t token) {
  return std::string(engine.piece(token).bytes);
}

/// llama.cpp's numbers of kinds of vocabularies.
int vocabularyType(std::string_view kind) {
  return kind == "spm" ? 1 : kind == "bpe" ? 2 : 0;
}

Json modelOf(const Service& service, const ServerOptions& options) {
  const llcuda_engine_info& info = service.info();
  const Json meta = {{"vocab_type", vocabularyType(info.vocabulary_kind)},
                     {"n_vocab", info.vocabulary},
                     {"n_ctx", service.context()},
                     {"n_ctx_train", info.trained_context},
                     {"n_embd", info.embedding},
                     {"size", info.weight_bytes}};
  static const std::time_t created = std::time(nullptr);
  return {{"id", service.options().model},
          {"aliases", options.aliases},
          {"tags", options.tags},
          {"object", "model"},
          {"created", created},
          {"owned_by", "llcuda"},
          {"architecture", info.architecture},
          {"meta", meta}};
}

} // namespace

Json propsOf(const Service& service, const ServerOptions& options) {
  const api::Engine& engine = service.engine();
  const llcuda_engine_info& info = service.info();
  const auto chatTemplate = engine.chatTemplate();
  return {{"default_generation_settings",
           {{"params", generationSettings(service.options().defaults)}, {"n_ctx", service.context()}}},
          {"total_slots", service.stats().slots},
          {"model_alias", service.options().model},
          {"model_path", fileName(options.model)},
          {"modalities", {{"vision", false}, {"audio", false}}},
          {"endpoint_slots", options.slotsEndpoint},
          {"endpoint_props", false},
          {"endpoint_metrics", options.metrics},
          {"webui", options.page},
          {"chat_template", chatTemplate.value_or(std::string_view())},
          {"bos_token", textOf(engine, info.bos)},
          {"eos_token", textOf(engine, info.eos)},
          {"build_info", std::string("llcuda ") + llcuda_version()}};
}

Json modelsOf(const Service& service, const ServerOptions& options) {
  return {{"object", "list"}, {"data", Json::array({modelOf(service, options)})}};
}

Checked<Json> modelNamed(const Service& service, const ServerOptions& options, const std::string& name) {
  if (name == service.options().model || std::ranges::find(options.aliases, name) != options.aliases.end())
    return modelOf(service, options);
  return ApiError{.status = 404,
                  .message = "there is no model '" + name + "' here; there is '" + service.options().model + "'",
                  .param = "model"};
}

} // namespace llcuda::server
