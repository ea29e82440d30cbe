// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/ops/ops_routes.h"

#include <ctime>
#include <utility>

#include "runtime/server/ops/chat_template.h"
#include "runtime/server/ops/metrics.h"
#include "runtime/server/ops/model_facts.h"
#include "runtime/server/ops/slots.h"
#include "runtime/server/ops/tokens.h"

namespace llcuda::server {
namespace {

using ReplyPointer = std::shared_ptr<Reply>;

void sendJson(Reply& reply, const Json& json) {
  reply.send(200, "application/json; charset=utf-8", dumped(json));
}

/// Answers with what `make` gives, or with its error.
Handler answering(std::function<Checked<Json>(const Request&)> make) {
  return [make = std::move(make)](const Request& request, ReplyPointer reply) {
    const Checked<Json> answer = make(request);
    answer ? sendJson(*reply, *answer) : sendError(*reply, answer.error());
  };
}

ApiError switchedOff(const std::string& flag) {
  return {.status = 501, .message = "this endpoint is switched off; start the server with " + flag};
}

/// Needs nothing but the gate, so that nothing that works can keep it waiting.
Handler health(const LoadingGate& gate) {
  return [&gate](const Request&, ReplyPointer reply) {
    gate.isOpen() ? sendJson(*reply, {{"status", "ok"}}) : sendError(*reply, loadingError());
  };
}

Handler metrics(const OpsSources& sources) {
  return [sources, started = std::to_string(std::time(nullptr))](const Request&, ReplyPointer reply) {
    if (!sources.options.metrics)
      return sendError(*reply, switchedOff("--metrics"));
    reply->send(200, "text/plain; version=0.0.4", metricsText(sources.gate.service(), sources.counts.all()),
                {{"process-start-time-unix", started}});
  };
}

} // namespace

std::vector<Route> opsRoutes(const OpsSources& sources) {
  const LoadingGate& gate = sources.gate;
  const ServerOptions& options = sources.options;
  std::vector<Route> routes;
  for (const std::string_view path : {"/health", "/v1/health"})
    routes.push_back({.method = "GET",
                      .path = path,
                      .handler = health(gate),
                      .needsKey = false,
                      .immediate = true,
                      .whileLoading = true});
  const auto add = [&](std::string_view method, std::string_view path, Handler handler, bool needsKey = true) {
    routes.push_back({.method = method, .path = path, .handler = std::move(handler), .needsKey = needsKey});
  };
  add("GET", "/metrics", metrics(sources));
  add("GET", "/props", answering([&](const Request&) { return propsOf(gate.service(), options); }));
  add("GET", "/slots", answering([&](const Request&) -> Checked<Json> {
        return options.slotsEndpoint ? Checked<Json>(slotsOf(gate.service())) : switchedOff("--slots");
      }));
  for (const std::string_view path : {"/v1/models", "/models"})
    add("GET", path, answering([&](const Request&) { return modelsOf(gate.service(), options); }), false);
  add("GET", "/v1/models/*", answering([&](const Request& request) {
        return modelNamed(gate.service(), options, std::string(request.rest()));
      }));
  add("POST", "/tokenize", answering([&](const Request& request) { return tokenize(gate.service(), request.body); }));
  add("POST", "/detokenize",
      answering([&](const Request& request) { return detokenize(gate.service(), request.body); }));
  add("GET", "/tokenizer_info", answering([&](const Request&) { return tokenizerInfo(gate.service()); }));
  add("POST", "/apply-template",
      answering([&](const Request& request) { return applyTemplate(gate.service(), request.body); }));
  return routes;
}

} // namespace llcuda::server
