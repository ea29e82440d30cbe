// SPDX-License-Identifier: Apache-2.0
// Serves a model over HTTP. The socket is open before the model is there; the line with the address on standard output
// says that it is.
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>

#include <sys/resource.h>
#include <unistd.h>

#include "runtime/server/api/routes.h"
#include "runtime/server/http/http_server.h"
#include "runtime/server/ops/loading_gate.h"
#include "runtime/server/ops/ops_routes.h"
#include "runtime/server/page/page.h"
#include "tools/llcuda-serve/access_log.h"
#include "tools/llcuda-serve/flags.h"
#include "tools/llcuda-serve/load.h"
#include "tools/llcuda-serve/stop_signals.h"

namespace llcuda::serve {
namespace {

using namespace std::chrono_literals;
using server::HttpServer;

/// Each connection is a descriptor, and shells often allow a thousand.
void allowConnections() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit); // without it connections wait
}

/// What the border says by itself.
std::vector<server::Refusal> refusals() {
  const std::pair<int, const char*> sentences[] = {
      {400, "the request is no HTTP that can be read"},
      {401, "a key is needed: 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'"},
      {404, "there is nothing at this path"},
      {405, "this path has another method, see Allow"},
      {408, "the request did not come to its end in time"},
      {413, "the body is longer than the server takes, see --max-body"},
      {500, "the server failed to answer"},
      {503, "the server is stopping or has too many bodies in memory"},
  };
  std::vector<server::Refusal> result;
  for (const auto& [status, sentence] : sentences)
    result.push_back({status, server::dumped(server::errorBody({.status = status, .message = sentence}))});
  return result;
}

class Program {
public:
  explicit Program(server::ServerOptions options) : options(std::move(options)) {}

  int run() {
    allowConnections();
    auto started = HttpServer::start(options, httpOptions());
    if (!started) {
      std::cerr << "llcuda-serve: " << started.error().message << '\n';
      return started.error().status;
    }
    http = std::move(*started);
    signals.watch([this] { stop(); });
    auto loaded = load(options, [this](pid_t process) { compiler = process; });
    if (const int* code = std::get_if<int>(&loaded))
      return *code;
    service = std::get<std::unique_ptr<server::Service>>(std::move(loaded));
    gate.open(*service);
    announce();
    waitForStop();
    return end();
  }

private:
  server::HttpOptions httpOptions() {
    server::HttpOptions result;
    std::vector<server::Route> routes = server::opsRoutes({options, gate, counts});
    for (server::Route& route : server::apiRoutes([this]() -> server::Service& { return gate.service(); }))
      routes.push_back(std::move(route));
    if (options.page)
      for (server::Route& route : server::pageRoutes()) routes.push_back(std::move(route));
    result.routes = gate.guard(std::move(routes));
    result.refusals = refusals();
    result.record = [this](const server::AccessRecord& record) {
      counts.add(record.status);
      if (options.jsonLog)
        std::cerr << jsonLine(record) + '\n';
      else if (options.verbose)
        std::cerr << plainLine(record) + '\n';
    };
    return result;
  }

  void announce() const {
    const llcuda_scheduler_stats stats = service->stats();
    std::string line = "llcuda-serve: " + service->options().model + " at";
    for (const std::string& address : http->addresses()) line += ' ' + address;
    line += ", " + std::to_string(stats.slots) + " slots of " + std::to_string(stats.context) + " positions\n";
    std::cout << line << std::flush;
  }

  /// On the thread of signals. While it loads there is nothing to end but the compiler and this program.
  void stop() {
    {
      const std::lock_guard lock(mutex);
      if (gate.isOpen()) {
        stopping = true;
        changed.notify_all();
        return;
      }
    }
    if (const pid_t process = compiler.load(); process > 0)
      ::kill(process, SIGTERM);
    http->drain(); // takes Unix sockets away
    http->wait(1s);
    std::cerr << "llcuda-serve: stopped while loading\n";
    ::_exit(128 + SIGTERM);
  }

  void waitForStop() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping; });
  }

  int end() {
    std::cerr << "llcuda-serve: stopping, " << options.drainSeconds << " s at most; once more: at once\n";
    http->drain();
    service->drain(std::chrono::seconds(options.drainSeconds));
    http->wait(2s); // what was written goes out
    http.reset();   // before the service that its handlers use
    return 0;
  }

  StopSignals signals; // first: before any thread
  server::ServerOptions options;
  server::LoadingGate gate;
  server::RequestCounts counts;
  std::unique_ptr<server::Service> service;
  std::unique_ptr<HttpServer> http;
  std::atomic<pid_t> compiler = 0;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
};

} // namespace
} // namespace llcuda::serve

int main(int argc, char** argv) {
  auto options = llcuda::serve::parseFlags(argc, argv);
  if (const int* code = std::get_if<int>(&options))
    return *code;
  llcuda::serve::Program program(std::get<llcuda::server::ServerOptions>(std::move(options)));
  return program.run();
}
