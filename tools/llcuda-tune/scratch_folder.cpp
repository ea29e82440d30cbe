// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-tune/scratch_folder.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/clean_end.h"
#include "runtime/base/result.h"
#include "runtime/base/temporary_path.h"

namespace llcuda::tune {
namespace {

namespace fs = std::filesystem;

int fail(const std::string& message, ErrorCode code) {
  std::cerr << "llcuda-tune: " << message << '\n';
  return static_cast<int>(code);
}

bool isInterrupt(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
}

/// Hands on what would have ended this process. The child's status as waitpid() gives it.
int waitFor(pid_t child, const sigset_t& signals) {
  for (;;) {
    int signal = 0, status = 0;
    ::sigwait(&signals, &signal);
    if (isInterrupt(signal))
      ::kill(child, signal);
    else if (::waitpid(child, &status, WNOHANG) == child)
      return status;
  }
}

} // namespace

int withScratchFolder(const std::string& output, const std::function<int(const std::string&)>& work) {
  std::error_code error;
  std::string folder = fs::absolute(output, error).string() + ".XXXXXX";
  if (!::mkdtemp(folder.data()))
    return fail(output + ": nothing can be written beside it: " + std::strerror(errno), ErrorCode::kBadInput);
  sigset_t signals, before;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, &before); // so that none is lost between the fork and the wait
  const pid_t child = ::fork();
  if (child == 0) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::setenv("TMPDIR", folder.c_str(), 1); // of the compilers that it starts
    endCleanly("llcuda-tune");
    const TemporaryPath scratch(folder); // goes, and a sentence is said, before the child ends by a signal
    std::exit(work(folder));
  }
  const int forkError = errno;
  const int status = child < 0 ? 0 : waitFor(child, signals);
  fs::remove_all(folder, error);
  if (error)
    std::cerr << "warning: " << folder << ": cannot be removed: " << error.message() << '\n';
  if (child < 0)
    return fail(std::string("no process can be started: ") + std::strerror(forkError), ErrorCode::kInternal);
  if (WIFEXITED(status))
    return WEXITSTATUS(status);
  if (isInterrupt(WTERMSIG(status))) {
    std::signal(WTERMSIG(status), SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    std::raise(WTERMSIG(status));
  }
  return fail("was ended by signal " + std::to_string(WTERMSIG(status)), ErrorCode::kInternal);
}

} // namespace llcuda::tune
