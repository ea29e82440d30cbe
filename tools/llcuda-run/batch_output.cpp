// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/batch_output.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/base/output_file.h"
#include "tools/llcuda-run/batch_request.h"

namespace llcuda::run {

Result<BatchOutput> BatchOutput::open(const std::string& path, const std::vector<InputFile>& inputs) {
  LLCUDA_RETURN_IF_ERROR(checkOutput(path, inputs));
  BatchOutput output;
  output.name = path;
  output.fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (output.fd < 0)
    return usageError(path, ": cannot be written: ", std::strerror(errno));
  if (::flock(output.fd, LOCK_EX | LOCK_NB) != 0)
    return usageError(path, ": another process writes to it");
  LLCUDA_RETURN_IF_ERROR(output.readAnswers());
  return output;
}

BatchOutput::BatchOutput(BatchOutput&& other) noexcept
    : name(std::move(other.name)), fd(std::exchange(other.fd, -1)), ids(std::move(other.ids)) {}

BatchOutput::~BatchOutput() {
  if (fd >= 0)
    ::close(fd);
}

Result<void> BatchOutput::readAnswers() {
  std::ifstream file(name, std::ios::binary);
  uint64_t number = 0, whole = 0; // bytes of whole lines
  for (std::string line; std::getline(file, line) && !file.eof();) {
    ++number;
    const auto id = customIdOf(line);
    if (const auto* refusal = std::get_if<BatchRefusal>(&id))
      return badInput(name, ": line ", number, " ", refusal->message, ": it is no output of a batch");
    ids.insert(std::get<std::string>(id));
    whole += line.size() + 1;
  }
  if (::ftruncate(fd, static_cast<off_t>(whole)) != 0)
    return internalError(name, ": a line that is not whole cannot be cut off: ", std::strerror(errno));
  return {};
}

Result<void> BatchOutput::append(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return internalError(name, ": cannot be written: ", std::strerror(errno));
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

} // namespace llcuda::run
