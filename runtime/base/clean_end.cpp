// SPDX-License-Identifier: Apache-2.0
// A handler may do next to nothing, so it only tells a thread, which was started for it, what has come.
#include "runtime/base/clean_end.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "runtime/base/result.h"
#include "runtime/base/temporary_path.h"

namespace llcuda {
namespace {

struct Notice {
  int signal;
  const void* address; ///< of SIGBUS
};

// Signal handlers have no other way to them.
int noticeEnds[2];

void tell(const Notice& notice) {
  while (::write(noticeEnds[1], &notice, sizeof(notice)) < 0 && errno == EINTR) {
  }
}

void onSignal(int signal) {
  const int before = errno;
  tell({signal, nullptr});
  errno = before;
}

// What the thread does must not go on: the access would fault again, the write that nobody reads be told as an error.
void onFault(int signal, siginfo_t* info, void*) {
  tell({signal, info->si_addr});
  for (;;) ::pause();
}

/// The file that is mapped at an address; empty when none is.
std::string mappedFileAt(const void* address) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    uintptr_t begin = 0, end = 0;
    char dash = 0;
    fields >> std::hex >> begin >> dash >> end;
    if (wanted < begin || wanted >= end)
      continue;
    const size_t path = line.find('/');
    return path == line.npos ? "" : line.substr(path);
  }
  return {};
}

void say(const std::string& sentence) {
  const std::string line = (::isatty(STDERR_FILENO) ? "\r\033[K" : "") + sentence + "\n";
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0)
    return; // nobody reads it
}

[[noreturn]] void endBy(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::raise(signal);
  ::_exit(128 + signal);
}

void waitForSignal(const std::string& program) {
  Notice notice = {};
  while (::read(noticeEnds[0], &notice, sizeof(notice)) != sizeof(notice)) {
  }
  const std::string file = notice.signal == SIGBUS ? mappedFileAt(notice.address) : "";
  const bool began = removeAllTemporaryPaths() != 0;
  if (!file.empty()) {
    say(program + ": " + file + ": became shorter while it was read; wait until it is whole, then try again");
    ::_exit(static_cast<int>(ErrorCode::kBadInput));
  }
  if (began && notice.signal != SIGBUS)
    say(program + ": interrupted; nothing was written");
  endBy(notice.signal);
}

} // namespace

void endCleanly(const std::string& program) {
  if (::pipe2(noticeEnds, O_CLOEXEC) != 0)
    return; // signals end the program as ever
  std::thread(waitForSignal, program).detach();
  struct sigaction ended = {}, faulted = {};
  ended.sa_handler = onSignal;
  ended.sa_flags = SA_RESTART;
  faulted.sa_sigaction = onFault;
  faulted.sa_flags = SA_SIGINFO;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGPIPE, SIGBUS}) {
    struct sigaction before = {};
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      ::sigaction(signal, signal == SIGPIPE || signal == SIGBUS ? &faulted : &ended, nullptr);
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

} // namespace llcuda
