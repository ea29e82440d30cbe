// SPDX-License-Identifier: Apache-2.0
// Handlers that do what a test asks for, behind the real border. Arguments are name=value; prints its port.
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "runtime/server/http/http_server.h"

namespace llcuda::server {
namespace {

std::atomic<int> signals = 0;

int64_t numberIn(std::string_view query, std::string_view name, int64_t otherwise) {
  for (std::size_t begin = 0; begin < query.size(); begin = query.find('&', begin) + 1) {
    const std::string_view rest = query.substr(begin);
    if (rest.starts_with(name) && rest.substr(name.size()).starts_with("=")) {
      int64_t value = otherwise;
      std::from_chars(rest.data() + name.size() + 1, rest.data() + rest.size(), value);
      return value;
    }
    if (query.find('&', begin) == std::string_view::npos)
      break;
  }
  return otherwise;
}

/// Writes to all streams from one thread, as a service does, and waits for slow readers alone.
class Streams {
public:
  struct One {
    std::shared_ptr<Reply> reply;
    int64_t left, bytes;
    std::atomic<bool> gone = false;
  };

  void add(std::shared_ptr<Reply> reply, int64_t count, int64_t bytes) {
    reply->beginStream({{"x-stream", "1"}});
    const std::lock_guard lock(mutex);
    One& one = streams.emplace_back(std::move(reply), count, bytes);
    ++opened;
    one.reply->onDrained([this] { ++drained; });
    one.reply->onClose([this, &one] {
      one.gone = true;
      ++closed;
    });
  }

  void step() {
    const std::lock_guard lock(mutex);
    for (auto one = streams.begin(); one != streams.end();) {
      if (one->gone || one->left == 0) {
        if (!one->gone)
          one->reply->end();
        one = streams.erase(one);
        continue;
      }
      if (one->reply->pending() <= Reply::kHighWater) {
        const std::string text = "data: " + std::string(static_cast<std::size_t>(one->bytes), 'x') + "\n\n";
        one->reply->write(text);
        --one->left;
      }
      ++one;
    }
  }

  std::size_t open() {
    const std::lock_guard lock(mutex);
    return streams.size();
  }

  std::atomic<int> opened = 0, closed = 0, drained = 0;

private:
  std::mutex mutex;
  std::list<One> streams;
};

struct Held {
  std::mutex mutex;
  std::list<std::shared_ptr<Reply>> replies;
};

std::vector<Route> routes(Streams& streams, Held& held) {
  const auto health = [](const Request&, std::shared_ptr<Reply> reply) { reply->send(200, "text/plain", "ok"); };
  return {
      {.method = "GET", .path = "/health", .handler = health, .needsKey = false, .immediate = true},
      {"POST", "/echo",
       [](const Request& request, std::shared_ptr<Reply> reply) {
         reply->note("bytes", static_cast<int64_t>(request.body.size()));
         reply->send(200, "application/octet-stream", request.body, {{"x-key-name", request.keyName}});
       }},
      {"GET", "/stream",
       [&](const Request& request, std::shared_ptr<Reply> reply) {
         streams.add(std::move(reply), numberIn(request.query, "count", 10), numberIn(request.query, "bytes", 10));
       }},
      {"GET", "/hold",
       [&](const Request&, std::shared_ptr<Reply> reply) {
         ++streams.opened;
         reply->onClose([&] { ++streams.closed; });
         const std::lock_guard lock(held.mutex);
         held.replies.push_back(std::move(reply));
       }},
      {"GET", "/silent",
       [&](const Request&, std::shared_ptr<Reply> reply) {
         reply->beginStream();
         const std::lock_guard lock(held.mutex);
         held.replies.push_back(std::move(reply));
       }},
      {"GET", "/counts",
       [&](const Request&, std::shared_ptr<Reply> reply) {
         reply->send(200, "application/json",
                     "{\"opened\": " + std::to_string(streams.opened) + ", \"closed\": " +
                         std::to_string(streams.closed) + ", \"drained\": " + std::to_string(streams.drained) +
                         ", \"open\": " + std::to_string(streams.open()) + "}");
       }},
      {"GET", "/drop", [](const Request&, std::shared_ptr<Reply>) {}},
      {"GET", "/throw", [](const Request&, std::shared_ptr<Reply>) { throw std::runtime_error("a fault"); }},
      {"GET", "/break",
       [](const Request&, std::shared_ptr<Reply> reply) {
         reply->beginStream();
         reply->write("data: 1\n\n");
       }},
      {"GET", "/busy",
       [](const Request& request, std::shared_ptr<Reply> reply) {
         std::this_thread::sleep_for(std::chrono::milliseconds(numberIn(request.query, "ms", 100)));
         reply->send(200, "text/plain", "done");
       }},
      {"GET", "/models/*",
       [](const Request& request, std::shared_ptr<Reply> reply) {
         reply->send(200, "text/plain", std::string(request.rest()));
       }},
  };
}

bool set(ServerOptions& options, std::string_view name, const std::string& value) {
  if (name == "body")
    options.limits.bodyBytes = std::stoull(value);
  else if (name == "header_time")
    options.limits.headerSeconds = static_cast<uint32_t>(std::stoul(value));
  else if (name == "body_time")
    options.limits.bodySeconds = static_cast<uint32_t>(std::stoul(value));
  else if (name == "stall_time")
    options.limits.stallSeconds = static_cast<uint32_t>(std::stoul(value));
  else if (name == "connections")
    options.limits.connections = static_cast<uint32_t>(std::stoul(value));
  else if (name == "key")
    options.keys.push_back({"key-" + std::to_string(options.keys.size() + 1), value});
  else if (name == "cors")
    options.corsOrigins.push_back(value);
  else if (name == "host")
    options.hosts.push_back(value);
  else
    return false;
  return true;
}

int serve(int argc, char** argv) {
  ServerOptions options;
  options.port = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (equals == std::string_view::npos ||
        !set(options, argument.substr(0, equals), std::string(argument.substr(equals + 1)))) {
      std::cerr << "http-test-server: what is " << argument << "?\n";
      return 1;
    }
  }
  Streams streams;
  Held held;
  HttpOptions http;
  http.routes = routes(streams, held);
  for (const int status : {400, 401, 404, 405, 408, 413, 500, 503})
    http.refusals.push_back({status, "{\"error\":{\"code\":" + std::to_string(status) + "}}"});
  http.record = [](const AccessRecord& record) {
    std::string line = record.requestId + ' ' + record.method + ' ' + record.path + ' ' +
                       std::to_string(record.status) + ' ' + record.keyName + ' ' + std::to_string(record.bytes) + '\n';
    std::fputs(line.c_str(), stderr);
  };
  auto server = HttpServer::start(options, std::move(http));
  if (!server) {
    std::cerr << "http-test-server: " << server.error().message << '\n';
    return server.error().status;
  }
  for (const std::string& address : (*server)->addresses()) std::cout << address << std::endl;
  std::cout << "ready" << std::endl;
  while (signals == 0) {
    streams.step();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  (*server)->drain();
  for (int i = 0; i < 1000 && signals < 2; ++i) {
    streams.step();
    if ((*server)->wait(std::chrono::milliseconds(2))) {
      std::cout << "drained" << std::endl;
      return 0;
    }
  }
  return 3;
}

} // namespace
} // namespace llcuda::server

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { ++llcuda::server::signals; });
  return llcuda::server::serve(argc, argv);
}
