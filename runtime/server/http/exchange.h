// SPDX-License-Identifier: Apache-2.0
// One request over HTTP and its answer, as the rooms that know what is asked see them; http_server.h carries them over
// sockets, and a test can stand in for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace llcuda::server {

struct Header {
  std::string name; ///< in lower case where it comes from a client
  std::string value;
};

/// A fact about an answer for the log: never what was asked or answered.
struct Note {
  using Value = std::variant<int64_t, double, std::string>;
  std::string name;
  Value value;
};

/// What a client sent, whole. Limits of size have been kept; the body may be any bytes.
struct Request {
  std::string method; ///< "GET"; of a HEAD request too
  std::string path;   ///< percent codes decoded, UTF-8: "/v1/models/org/name"
  std::string query;  ///< behind the '?', as it came; empty: none
  std::string body;
  std::string keyName;     ///< who asks: the name of the key that was given, empty where the server has no keys
  std::string requestId;   ///< the client's `x-request-id`, or one made for it; goes back with the answer
  uint64_t connection = 0; ///< a number for each connection
  std::vector<Header> headers;
  std::size_t routePrefix = 0; ///< bytes of the path that the route names: behind it stands what "/*" matched

  /// The first value of a header; the name in lower case. Null: there is none.
  const std::string* header(std::string_view name) const {
    for (const Header& candidate : headers)
      if (candidate.name == name)
        return &candidate.value;
    return nullptr;
  }
  /// What stands in the place of the '*' at the end of the route's path.
  std::string_view rest() const { return std::string_view(path).substr(routePrefix); }
};

/// The answer to one request. Functions may be called from any thread, and after the client has left; a Reply that is
/// destroyed before send() or end() answers 500, or breaks its stream off. A call that does not fit what was called
/// before, such as send() after beginStream(), does nothing.
class Reply {
public:
  virtual ~Reply() = default;

  /// The whole answer.
  virtual void send(int status, std::string_view contentType, std::string body, std::vector<Header> headers = {}) = 0;
  /// 200, text/event-stream, not to be cached or buffered on its way. A comment goes out after 15 s of silence.
  virtual void beginStream(std::vector<Header> headers = {}) = 0;
  /// Appends to the stream; never blocks. False: the client is gone, and nothing more is worth writing.
  virtual bool write(std::string_view bytes) = 0;
  /// The end of the stream.
  virtual void end() = 0;
  /// Calls `closed` once when the client leaves before the answer's end, at once if it has; on a thread of the server,
  /// which must not wait. Not called after send() or end().
  virtual void onClose(std::function<void()> closed) = 0;
  /// Bytes that were written and that the client's connection has not taken.
  virtual std::size_t pending() const = 0;
  /// Calls `drained`, on a thread of the server, each time that pending() falls to kLowWater after it was above
  /// kHighWater: who writes what can wait stops above the one and goes on below the other.
  virtual void onDrained(std::function<void()> drained) = 0;
  /// Adds to the line that the log gets at the answer's end.
  virtual void note(std::string_view name, Note::Value value) = 0;

  static constexpr std::size_t kHighWater = 256 * 1024;
  static constexpr std::size_t kLowWater = 64 * 1024;
};

/// Runs on a thread that may wait a while, and may keep the reply for later. Must not throw.
using Handler = std::function<void(const Request&, std::shared_ptr<Reply>)>;

/// A path that is served. From the table of all routes come 404, 405 with Allow, and the answers to OPTIONS and HEAD.
struct Route {
  std::string_view method; ///< "GET", "POST"
  std::string_view path;   ///< "/v1/models"; one that ends in "/*" matches everything longer: Request::rest()
  Handler handler;
  bool needsKey = true;
  bool immediate = false;    ///< the handler never waits: it runs at once, however many others are at work
  bool whileLoading = false; ///< answered before there is an engine; the others get 503 `Loading model`
};

} // namespace llcuda::server
