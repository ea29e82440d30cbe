// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/http/http_server.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "runtime/server/http/http_abi.h"
#include "runtime/server/http/http_reply.h"

namespace llcuda::server {
namespace {

constexpr unsigned kIoThreads = 2;
constexpr uint64_t kAllBodies = uint64_t{1} << 30;
constexpr uint32_t kIdleSeconds = 75;
constexpr uint32_t kPingSeconds = 15;

llcuda_http_text textOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string stringOf(llcuda_http_text text) {
  return {reinterpret_cast<const char*>(text.data), text.size};
}

std::vector<llcuda_http_text> textsOf(const std::vector<std::string>& strings) {
  std::vector<llcuda_http_text> result;
  result.reserve(strings.size());
  for (const std::string& string : strings) result.push_back(textOf(string));
  return result;
}

Request requestOf(const llcuda_http_request& c, const Route& route) {
  Request request;
  request.method = stringOf(c.method);
  request.path = stringOf(c.path);
  request.query = stringOf(c.query);
  request.body = stringOf(c.body);
  request.keyName = stringOf(c.key_name);
  request.requestId = stringOf(c.request_id);
  request.connection = c.connection;
  request.routePrefix = route.path.ends_with('*') ? route.path.size() - 1 : request.path.size();
  request.headers.reserve(c.header_count);
  for (std::size_t i = 0; i < c.header_count; ++i)
    request.headers.push_back({stringOf(c.headers[i].name), stringOf(c.headers[i].value)});
  return request;
}

} // namespace

struct HttpServer::State {
  HttpOptions http;
  std::vector<std::string> hosts;
  llcuda_http_server* server = nullptr;

  /// A handler that threw after all leaves its reply unanswered, which makes it a 500.
  static void handle(void* self, const llcuda_http_request* request, llcuda_http_reply* handle) {
    const auto reply = std::make_shared<HttpReply>(handle);
    const Route& route = static_cast<State*>(self)->http.routes[request->route];
    try {
      route.handler(requestOf(*request, route), reply);
    } catch (const std::exception& error) {
      reply->note("fault", std::string(error.what()));
    }
  }

  static void record(void* self, void* watch, const llcuda_http_record* c) {
    const State& state = *static_cast<State*>(self);
    if (!state.http.record)
      return;
    AccessRecord record{stringOf(c->method),
                        stringOf(c->path),
                        stringOf(c->key_name),
                        stringOf(c->request_id),
                        c->status,
                        c->bytes,
                        std::chrono::nanoseconds(c->nanoseconds)};
    if (watch)
      record.notes = static_cast<ReplyWatch*>(watch)->takeNotes();
    state.http.record(record);
  }
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state(std::move(state)) {}

HttpServer::~HttpServer() {
  llcuda_http_stop(state->server);
}

api::Expected<std::unique_ptr<HttpServer>> HttpServer::start(const ServerOptions& options, HttpOptions http) {
  auto state = std::make_unique<State>();
  state->http = std::move(http);
  state->hosts = options.hosts;
  std::vector<llcuda_http_route> routes;
  for (const Route& route : state->http.routes)
    routes.push_back({textOf(route.method), textOf(route.path), route.needsKey, route.immediate});
  std::vector<llcuda_http_header> keys;
  for (const ApiKey& key : options.keys) keys.push_back({textOf(key.name), textOf(key.secret)});
  std::vector<llcuda_http_refusal> refusals;
  for (const Refusal& refusal : state->http.refusals) refusals.push_back({refusal.status, textOf(refusal.body)});
  const std::vector<llcuda_http_text> hosts = textsOf(options.hosts), origins = textsOf(options.corsOrigins);

  llcuda_http_options c = {};
  c.hosts = hosts.data();
  c.host_count = hosts.size();
  c.port = options.port;
  c.io_threads = kIoThreads;
  c.handler_threads = state->http.handlerThreads;
  c.routes = routes.data();
  c.route_count = routes.size();
  c.keys = keys.data();
  c.key_count = keys.size();
  c.refusals = refusals.data();
  c.refusal_count = refusals.size();
  c.cors_origins = origins.data();
  c.cors_origin_count = origins.size();
  c.cors_methods = textOf(options.corsMethods);
  c.cors_headers = textOf(options.corsHeaders);
  c.cors_credentials = options.corsCredentials;
  c.body_bytes = options.limits.bodyBytes;
  c.all_body_bytes = std::max(kAllBodies, options.limits.bodyBytes);
  c.header_seconds = options.limits.headerSeconds;
  c.body_seconds = options.limits.bodySeconds;
  c.idle_seconds = kIdleSeconds;
  c.stall_seconds = options.limits.stallSeconds;
  c.ping_seconds = kPingSeconds;
  c.connections = options.limits.connections;
  c.high_water = Reply::kHighWater;
  c.low_water = Reply::kLowWater;
  c.handle = State::handle;
  c.record = State::record;
  c.user = state.get();
  char error[512];
  if (llcuda_http_start(&c, &state->server, error, sizeof(error)) != 0)
    return api::Error{LLCUDA_USAGE, error};
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

std::vector<std::string> HttpServer::addresses() const {
  std::vector<std::string> result;
  for (const std::string& host : state->hosts) {
    if (host.ends_with(".sock")) {
      result.push_back("unix:" + host);
      continue;
    }
    const bool bare = host.find(':') != std::string::npos && !host.starts_with('[');
    result.push_back("http://" + (bare ? "[" + host + "]" : host) + ":" +
                     std::to_string(llcuda_http_port(state->server)));
  }
  return result;
}

void HttpServer::drain() {
  llcuda_http_drain(state->server);
}

bool HttpServer::wait(std::chrono::milliseconds time) {
  return llcuda_http_wait(state->server, static_cast<uint64_t>(time.count())) == 0;
}

} // namespace llcuda::server
