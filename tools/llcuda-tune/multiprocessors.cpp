// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-tune/multiprocessors.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/temporary_path.h"
#include "runtime/cuda/driver.h"

namespace llcuda::tune {
namespace {

namespace fs = std::filesystem;

Error noShare(const std::string& reason) {
  return makeError(ErrorCode::kNoDevice, "--sms: ", reason);
}

/// Ends this process, without what its parent's objects do at the end, with what `work` answers.
[[noreturn]] void endWith(const std::function<int()>& work) {
  const int code = work();
  std::cout.flush();
  std::cerr.flush();
  ::_exit(code);
}

Result<uint32_t> countHere(int index) {
  LLCUDA_ASSIGN_OR_RETURN(const auto driver, cuda::Driver::open(cuda::DriverKind::kCuda));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::DeviceInfo info, driver->deviceInfo(index));
  return info.multiprocessors;
}

/// What a process of its own counts: a driver that this one had opened would never know of MPS.
Result<uint32_t> countApart(int index) {
  int ends[2];
  if (::pipe(ends) != 0)
    return internalError("no pipe: ", std::strerror(errno));
  const pid_t child = ::fork();
  if (child == 0)
    endWith([&] {
      const Result<uint32_t> count = countHere(index);
      const std::string said = count ? std::to_string(*count) : count.error().message;
      return ::write(ends[1], said.data(), said.size()) < 0 || !count ? 1 : 0;
    });
  ::close(ends[1]);
  std::string said;
  char part[512];
  for (ssize_t bytes = 0; child > 0 && (bytes = ::read(ends[0], part, sizeof part)) > 0;)
    said.append(part, static_cast<size_t>(bytes));
  ::close(ends[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) < 0)
    return internalError("no process of its own: ", std::strerror(errno));
  if (status != 0)
    return noShare(said.empty() ? "the driver ended the process that asked it" : said);
  return static_cast<uint32_t>(std::stoul(said));
}

/// The service, from its start to its end. What it is told stands in the environment.
class Service {
public:
  static Result<Service> start(uint32_t percentage) {
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "llcuda-mps-XXXXXX").string();
    TemporaryPath folder = TemporaryPath::made([&] { return ::mkdtemp(pattern.data()) ? pattern : std::string(); });
    if (folder.path().empty())
      return noShare("no folder for the service can be made: " + pattern);
    for (const auto& [name, variable] :
         {std::pair("pipe", "CUDA_MPS_PIPE_DIRECTORY"), std::pair("log", "CUDA_MPS_LOG_DIRECTORY")}) {
      const fs::path path = fs::path(folder.path()) / name;
      fs::create_directory(path, error);
      ::setenv(variable, path.c_str(), 1);
    }
    // By a shell, which says so in one way where there is no such program.
    const int status = std::system("nvidia-cuda-mps-control -d > \"$CUDA_MPS_LOG_DIRECTORY/start\" 2>&1");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
      return noShare("nvidia-cuda-mps-control is not installed; it comes with NVIDIA's driver");
    if (status != 0)
      return noShare("nvidia-cuda-mps-control does not start: " + firstLine(fs::path(folder.path()) / "log/start"));
    ::setenv("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", std::to_string(percentage).c_str(), 1);
    return Service(std::move(folder));
  }
  Service(Service&&) = default;
  ~Service() {
    if (!folder.path().empty() && std::system("echo quit | nvidia-cuda-mps-control > /dev/null 2>&1") != 0)
      std::cerr << "warning: nvidia-cuda-mps-control did not end\n";
  }

private:
  explicit Service(TemporaryPath folder) : folder(std::move(folder)) {}

  static std::string firstLine(const fs::path& file) {
    std::string line;
    std::ifstream in(file);
    return std::getline(in, line) ? line : "no reason given";
  }

  TemporaryPath folder;
};

/// Waits for the child and hands it the signals that come meanwhile.
int superviseUntilItEnds(pid_t child, const sigset_t& signals) {
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0)
    if (const int signal = ::sigwaitinfo(&signals, nullptr); signal > 0 && signal != SIGCHLD)
      ::kill(child, signal);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace

Result<uint32_t> percentageOf(uint32_t count, uint32_t total) {
  if (count == 0 || count > total)
    return noShare(detail::concat("the GPU has ", total, " multiprocessors, ", count, " are not to be had"));
  if (const uint32_t percentage = 100 * count / total; percentage > 0)
    return percentage;
  return noShare(detail::concat(count, " of ", total, " multiprocessors are less than one per cent"));
}

Result<int> onMultiprocessors(uint32_t count, int index, const std::function<int()>& work) {
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t total, countApart(index));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t percentage, percentageOf(count, total));
  sigset_t signals, before;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  Result<int> code = 0;
  {
    const Result<Service> service = Service::start(percentage);
    if (!service) {
      code = service.error();
    } else if (const pid_t child = ::fork(); child == 0) {
      ::sigprocmask(SIG_SETMASK, &before, nullptr);
      endWith(work);
    } else {
      std::cerr << "MPS: " << percentage << " % of the GPU's " << total << " multiprocessors\n";
      code = child > 0 ? Result<int>(superviseUntilItEnds(child, signals))
                       : internalError("no process of its own: ", std::strerror(errno));
    }
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return code;
}

} // namespace llcuda::tune
