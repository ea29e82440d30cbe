// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/worker_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace llcuda::codegen {

Result<WorkerProcess> WorkerProcess::start(const std::vector<std::string>& command) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return internalError("a socket to a kernel worker cannot be made: ", std::strerror(errno));
  WorkerProcess worker;
  worker.fd = ends[0];

  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], kWorkerDescriptor);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  const int result = ::posix_spawn(&worker.pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (result != 0) {
    worker.pid = -1;
    return internalError("the kernel worker ", command[0], " cannot be started: ", std::strerror(result));
  }
  return worker;
}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept {
  *this = std::move(other);
}

WorkerProcess& WorkerProcess::operator=(WorkerProcess&& other) noexcept {
  std::swap(pid, other.pid);
  std::swap(fd, other.fd);
  std::swap(greeted, other.greeted);
  return *this;
}

WorkerProcess::~WorkerProcess() {
  if (fd >= 0)
    ::close(fd);
  if (pid > 0) {
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

Result<CompiledKernel> WorkerProcess::receive(const std::string& name) {
  if (!greeted) {
    const auto greeting = readFrame(fd);
    if (!greeting)
      return died(name);
    if (*greeting != workerIdentity())
      return internalError("the kernel worker is another version of this program; install both together");
    greeted = true;
  }
  const auto frame = readFrame(fd);
  if (!frame)
    return died(name);
  return parseReply(*frame);
}

Error WorkerProcess::died(const std::string& name) {
  ::close(std::exchange(fd, -1));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  pid = -1;
  if (WIFSIGNALED(status))
    return internalError("kernel ", name, ": its compiler process was ended by signal ", WTERMSIG(status), " (",
                         ::strsignal(WTERMSIG(status)), ")");
  return internalError("kernel ", name, ": its compiler process ended with status ", WEXITSTATUS(status));
}

} // namespace llcuda::codegen
