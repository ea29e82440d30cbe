// SPDX-License-Identifier: Apache-2.0
// Carries requests to the handlers of a table of routes: HTTP/1.1 and HTTP/2 over TCP and Unix sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "llcuda/llcuda.hpp"
#include "runtime/server/http/exchange.h"
#include "runtime/server/options.h"

namespace llcuda::server {

/// The body of an answer that the border gives itself.
struct Refusal {
  int status; ///< 400, 401, 404, 405, 408, 413, 500, 503
  std::string body;
};

/// An answer that is over, for the log.
struct AccessRecord {
  std::string method, path, keyName, requestId;
  int status = 0; ///< 499: the client left before the answer's end
  uint64_t bytes = 0;
  std::chrono::nanoseconds took{0};
  std::vector<Note> notes;
};

struct HttpOptions {
  std::vector<Route> routes;
  std::vector<Refusal> refusals;
  std::function<void(const AccessRecord&)> record; ///< from any thread; must not wait and not throw
  unsigned handlerThreads = 16;
};

/// Serves from its construction on, on threads of its own. drain(), wait() and the end from one thread.
class HttpServer {
public:
  /// Of `options` what belongs to the border: hosts, port, keys, CORS, limits. LLCUDA_USAGE: an address that cannot be
  /// had.
  static api::Expected<std::unique_ptr<HttpServer>> start(const ServerOptions& options, HttpOptions http);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Where it can be reached: "http://127.0.0.1:8080", "unix:/run/llcuda.sock".
  std::vector<std::string> addresses() const;
  /// Takes no more connections, and answers requests on the open ones with 503.
  void drain();
  /// After drain(): false when connections are still open after the time.
  bool wait(std::chrono::milliseconds time);

private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);

  std::unique_ptr<State> state;
};

} // namespace llcuda::server
