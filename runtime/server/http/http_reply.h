// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "runtime/server/http/exchange.h"
#include "runtime/server/http/http_abi.h"

namespace llcuda::server {

/// What a reply's owner asked to be told, and what it noted for the log. Lives as long as the crate has the reply.
class ReplyWatch {
public:
  void onClose(std::function<void()> function);
  void onDrained(std::function<void()> function);
  /// Nothing more will be told; what the functions hold is let go.
  void finish();
  void note(Note note);
  std::vector<Note> takeNotes();

  static void event(void* self, int32_t kind);
  static void destroy(void* self);

private:
  void closed();
  void drained();

  std::mutex mutex;
  bool gone = false, finished = false;
  std::function<void()> closeFunction, drainedFunction;
  std::vector<Note> notes;
};

/// A reply whose bytes go through the crate.
class HttpReply final : public Reply {
public:
  explicit HttpReply(llcuda_http_reply* handle);
  ~HttpReply() override;
  HttpReply(const HttpReply&) = delete;
  HttpReply& operator=(const HttpReply&) = delete;

  void send(int status, std::string_view contentType, std::string body, std::vector<Header> headers) override;
  void beginStream(std::vector<Header> headers) override;
  bool write(std::string_view bytes) override;
  void end() override;
  void onClose(std::function<void()> closed) override { watch->onClose(std::move(closed)); }
  std::size_t pending() const override { return llcuda_http_reply_pending(handle); }
  void onDrained(std::function<void()> drained) override { watch->onDrained(std::move(drained)); }
  void note(std::string_view name, Note::Value value) override { watch->note({std::string(name), std::move(value)}); }

private:
  llcuda_http_reply* handle;
  ReplyWatch* watch; // the crate's; lives while the handle does
};

} // namespace llcuda::server
