// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/openapi.h"

#include <array>

#include "llcuda/llcuda.h"

namespace llcuda::server {
namespace {

struct Endpoint {
  std::string_view path, schema, summary;
  FieldForm form;
};

constexpr std::array kEndpoints = std::to_array<Endpoint>({
    {"/v1/chat/completions", "ChatRequest", "Goes on with a conversation", kChat},
    {"/v1/chat/completions/input_tokens", "ChatRequest", "Counts the tokens of a conversation", kChat},
    {"/v1/completions", "CompletionsRequest", "Goes on with a text, in OpenAI's form", kCompletions},
    {"/completion", "CompletionRequest", "Goes on with a text, in llama-server's form", kCompletion},
    {"/v1/embeddings", "EmbeddingsRequest", "Texts as vectors", kEmbeddings},
    {"/v1/rerank", "RerankRequest", "Documents by how well they answer a query", kRerank},
});

Json errorResponse(std::string_view description) {
  return {{"description", description},
          {"content", {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}};
}

Json requestSchema(FieldForm form, const FieldLimits& limits) {
  Json properties = Json::object(), required = Json::array();
  for (const Field& field : fieldTable()) {
    if (!(field.forms & form))
      continue;
    properties[std::string(field.name)] = schemaOf(field, limits);
    if (field.isRequired)
      required.push_back(field.name);
  }
  return {{"type", "object"}, {"required", std::move(required)}, {"properties", std::move(properties)}};
}

Json operation(const Endpoint& endpoint) {
  const std::string reference = "#/components/schemas/" + std::string(endpoint.schema);
  Json responses = {{"200",
                     {{"description", "The answer; a stream of events where `stream` is true"},
                      {"content",
                       {{"application/json", {{"schema", {{"type", Json::array({"object", "array"})}}}}},
                        {"text/event-stream", Json::object()}}}}},
                    {"400", errorResponse("A field is wrong; `param` names it")},
                    {"401", errorResponse("The key is missing or unknown")},
                    {"404", errorResponse("There is no such model")},
                    {"413", errorResponse("The body is too large")},
                    {"429", errorResponse("Too many requests wait; `Retry-After` says when to come back")},
                    {"501", errorResponse("The model or this build cannot do it")},
                    {"503", errorResponse("The model is loading, or the server is stopping")}};
  return {
      {"summary", endpoint.summary},
      {"requestBody", {{"required", true}, {"content", {{"application/json", {{"schema", {{"$ref", reference}}}}}}}}},
      {"responses", std::move(responses)}};
}

Json errorSchema() {
  return {{"type", "object"},
          {"required", {"error"}},
          {"properties",
           {{"error",
             {{"type", "object"},
              {"required", {"code", "message", "type", "param"}},
              {"properties",
               {{"code", {{"type", "integer"}}},
                {"message", {{"type", "string"}}},
                {"type", {{"type", "string"}}},
                {"param", {{"type", Json::array({"string", "null"})}}}}}}}}}};
}

/// What a field takes, for people: the sentence of its error.
std::string allowed(const Field& field) {
  std::string text = expectation(field, {});
  text.erase(0, std::string_view("expected ").size());
  for (std::size_t bar = text.find('|'); bar != std::string::npos; bar = text.find('|', bar + 2))
    text.insert(bar, "\\");
  return text;
}

std::string tableOf(FieldForm form) {
  std::string table = "| field | value | default | |\n| --- | --- | --- | --- |\n";
  for (const Field& field : fieldTable()) {
    if (!(field.forms & form))
      continue;
    const Json value = defaultOf(field);
    table += "| `" + std::string(field.name) + "` | " + allowed(field) + " | " +
             (field.isRequired  ? "required"
              : value.is_null() ? ""
                                : "`" + dumped(value) + "`") +
             " | " + std::string(field.doc) + " |\n";
  }
  return table;
}

} // namespace

Json openApiDocument(const FieldLimits& limits) {
  Json paths = Json::object(), schemas = {{"Error", errorSchema()}};
  for (const Endpoint& endpoint : kEndpoints) {
    paths[std::string(endpoint.path)] = {{"post", operation(endpoint)}};
    schemas[std::string(endpoint.schema)] = requestSchema(endpoint.form, limits);
  }
  return {
      {"openapi", "3.1.0"},
      {"info", {{"title", "llcuda-serve"}, {"version", llcuda_version()}}},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas", std::move(schemas)}, {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

std::string fieldTables() {
  std::string text;
  std::string_view last;
  for (const Endpoint& endpoint : kEndpoints) {
    if (endpoint.schema == last)
      continue;
    last = endpoint.schema;
    text += "## `" + std::string(endpoint.path) + "`\n\n" + std::string(endpoint.summary) + ".\n\n" +
            tableOf(endpoint.form) + "\n";
  }
  return text;
}

} // namespace llcuda::server
