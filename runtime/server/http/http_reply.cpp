// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/http/http_reply.h"

#include <utility>

namespace llcuda::server {
namespace {

llcuda_http_text textOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::vector<llcuda_http_header> cHeaders(const std::vector<Header>& headers) {
  std::vector<llcuda_http_header> result;
  result.reserve(headers.size());
  for (const Header& header : headers) result.push_back({textOf(header.name), textOf(header.value)});
  return result;
}

} // namespace

void ReplyWatch::onClose(std::function<void()> function) {
  {
    const std::lock_guard lock(mutex);
    if (finished)
      return;
    if (!gone) {
      closeFunction = std::move(function);
      return;
    }
  }
  function();
}

void ReplyWatch::onDrained(std::function<void()> function) {
  const std::lock_guard lock(mutex);
  if (!finished && !gone)
    drainedFunction = std::move(function);
}

void ReplyWatch::finish() {
  std::function<void()> closing, draining; // destroyed without the lock: they may hold the reply
  const std::lock_guard lock(mutex);
  finished = true;
  closing.swap(closeFunction);
  draining.swap(drainedFunction);
}

void ReplyWatch::note(Note note) {
  const std::lock_guard lock(mutex);
  notes.push_back(std::move(note));
}

std::vector<Note> ReplyWatch::takeNotes() {
  const std::lock_guard lock(mutex);
  return std::move(notes);
}

void ReplyWatch::closed() {
  std::function<void()> closing, draining;
  {
    const std::lock_guard lock(mutex);
    gone = true;
    closing.swap(closeFunction);
    draining.swap(drainedFunction);
  }
  if (closing)
    closing();
}

void ReplyWatch::drained() {
  std::function<void()> draining;
  {
    const std::lock_guard lock(mutex);
    draining = drainedFunction;
  }
  if (draining)
    draining();
}

void ReplyWatch::event(void* self, int32_t kind) {
  auto* watch = static_cast<ReplyWatch*>(self);
  kind == LLCUDA_HTTP_CLOSED ? watch->closed() : watch->drained();
}

void ReplyWatch::destroy(void* self) {
  delete static_cast<ReplyWatch*>(self);
}

HttpReply::HttpReply(llcuda_http_reply* handle) : handle(handle), watch(new ReplyWatch) {
  llcuda_http_reply_watch(handle, ReplyWatch::event, ReplyWatch::destroy, watch);
}

HttpReply::~HttpReply() {
  llcuda_http_reply_free(handle);
}

void HttpReply::send(int status, std::string_view contentType, std::string body, std::vector<Header> headers) {
  const std::vector<llcuda_http_header> list = cHeaders(headers);
  llcuda_http_reply_send(handle, status, textOf(contentType), textOf(body), list.data(), list.size());
  watch->finish();
}

void HttpReply::beginStream(std::vector<Header> headers) {
  const std::vector<llcuda_http_header> list = cHeaders(headers);
  llcuda_http_reply_begin_stream(handle, list.data(), list.size());
}

bool HttpReply::write(std::string_view bytes) {
  return llcuda_http_reply_write(handle, textOf(bytes)) != 0;
}

void HttpReply::end() {
  llcuda_http_reply_end(handle);
  watch->finish();
}

} // namespace llcuda::server
