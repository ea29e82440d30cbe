// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/kernel_worker.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <sys/socket.h>

#include "codegen/base/wire.h"
#include "codegen/nvrtc/kernel_cache.h"
#include "codegen/nvrtc/kernel_compiler.h"

namespace llcuda::codegen {
namespace {

constexpr uint64_t kMaxFrameBytes = uint64_t{256} << 20;

bool sendAll(int fd, const char* bytes, size_t count) {
  while (count != 0) {
    const ssize_t sent = ::send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent <= 0)
      return false;
    bytes += sent;
    count -= static_cast<size_t>(sent);
  }
  return true;
}

bool receiveAll(int fd, char* bytes, size_t count) {
  while (count != 0) {
    const ssize_t got = ::recv(fd, bytes, count, 0);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    bytes += got;
    count -= static_cast<size_t>(got);
  }
  return true;
}

std::optional<WorkerRequest> parseRequest(std::string_view frame) {
  WireReader reader(frame);
  WorkerRequest request;
  request.nvrtcFile = reader.text();
  request.name = reader.text();
  request.source = reader.text();
  if (!reader.atEnd())
    return std::nullopt;
  return request;
}

} // namespace

bool writeFrame(int fd, std::string_view bytes) {
  const uint64_t length = bytes.size();
  return sendAll(fd, reinterpret_cast<const char*>(&length), sizeof length) && sendAll(fd, bytes.data(), bytes.size());
}

std::optional<std::string> readFrame(int fd) {
  uint64_t length = 0;
  if (!receiveAll(fd, reinterpret_cast<char*>(&length), sizeof length) || length > kMaxFrameBytes)
    return std::nullopt;
  std::string bytes(length, '\0');
  if (!receiveAll(fd, bytes.data(), bytes.size()))
    return std::nullopt;
  return bytes;
}

std::string workerIdentity() {
  return "llcuda kernel worker 1 " + headersKey();
}

std::string serializeRequest(const WorkerRequest& request) {
  WireWriter writer;
  writer.text(request.nvrtcFile);
  writer.text(request.name);
  writer.text(request.source);
  return writer.take();
}

std::string serializeReply(const Result<CompiledKernel>& reply) {
  WireWriter writer;
  writer.number(reply ? 0 : static_cast<uint64_t>(reply.error().code));
  writer.text(reply ? serializeKernel(*reply) : reply.error().message);
  return writer.take();
}

Result<CompiledKernel> parseReply(std::string_view frame) {
  WireReader reader(frame);
  const uint64_t code = reader.number();
  const std::string_view text = reader.text();
  if (!reader.atEnd() || code > static_cast<uint64_t>(ErrorCode::kInternal))
    return internalError("a kernel worker answered in an unknown form");
  if (code != 0)
    return Error{static_cast<ErrorCode>(code), std::string(text)};
  if (auto kernel = parseKernel(text))
    return std::move(*kernel);
  return internalError("a kernel worker answered in an unknown form");
}

int runKernelWorker(int fd) {
  // Ctrl-C is for the program that asks; when that ends, the worker reads the end of its socket.
  for (const int signal : {SIGINT, SIGHUP, SIGQUIT}) std::signal(signal, SIG_IGN);
  // NVRTC 13 keeps results in the driver's cache, and says nothing of registers and spills for one that it takes from
  // there.
  ::setenv("CUDA_CACHE_DISABLE", "1", 1);
  if (!writeFrame(fd, workerIdentity()))
    return 1;
  std::optional<Result<NvrtcLibrary>> nvrtc;
  while (const auto frame = readFrame(fd)) {
    const auto request = parseRequest(*frame);
    if (!request)
      return 1;
    if (!nvrtc)
      nvrtc = NvrtcLibrary::openFile(request->nvrtcFile);
    const Result<CompiledKernel> reply =
        *nvrtc ? compileSource(**nvrtc, request->name, request->source) : Result<CompiledKernel>(nvrtc->error());
    if (!writeFrame(fd, serializeReply(reply)))
      return 1;
  }
  return 0;
}

} // namespace llcuda::codegen
