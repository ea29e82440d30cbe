// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/compile_kernels.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

#include <poll.h>

#include "codegen/nvrtc/kernel_cache.h"
#include "codegen/nvrtc/kernel_compiler.h"
#include "codegen/nvrtc/worker_process.h"

namespace llcuda::codegen {
namespace {

/// One distinct source.
struct Task {
  std::string name;
  std::string source;
  std::string key;
  std::optional<CompiledKernel> kernel;
};

class Compilation {
public:
  Compilation(NvrtcLibrary nvrtc, const KernelCompileOptions& options)
      : nvrtc(std::move(nvrtc)), options(options), cache(options.cacheFolder) {}

  Result<CompiledKernels> run(std::span<const KernelSpec> specs) {
    LLCUDA_RETURN_IF_ERROR(collect(specs));
    lookUp();
    LLCUDA_RETURN_IF_ERROR(options.workerCommand.empty() ? compileHere() : compileInWorkers());
    for (const size_t task : taskOfSpec) result.kernels.push_back(*tasks[task].kernel);
    result.nvrtcVersion = nvrtc.version();
    result.flags.assign(nvrtcFlags().begin(), nvrtcFlags().end());
    return std::move(result);
  }

private:
  Result<void> collect(std::span<const KernelSpec> specs) {
    std::map<std::string, size_t> byName;
    for (const KernelSpec& spec : specs) {
      const std::string name = spec.name;
      std::string source = spec.source();
      const auto [entry, added] = byName.emplace(name, tasks.size());
      if (added)
        tasks.push_back({name, source, kernelKey(nvrtc, source), std::nullopt});
      else if (tasks[entry->second].source != source)
        return internalError("kernel ", name, ": two different kernels have this name");
      taskOfSpec.push_back(entry->second);
    }
    return {};
  }

  void lookUp() {
    for (size_t i = 0; i < tasks.size(); ++i) {
      tasks[i].kernel = cache.find(tasks[i].key);
      if (!tasks[i].kernel) {
        missing.push_back(i);
        continue;
      }
      ++result.cacheHits;
      report(tasks[i], true);
    }
  }

  Result<void> compileHere() {
    for (const size_t i : missing) {
      LLCUDA_ASSIGN_OR_RETURN(CompiledKernel kernel, compileSource(nvrtc, tasks[i].name, tasks[i].source));
      finish(tasks[i], std::move(kernel));
    }
    return {};
  }

  Result<void> compileInWorkers() {
    const size_t count = std::min<size_t>(std::max(options.jobs, 1u), missing.size());
    std::vector<WorkerProcess> workers;
    std::vector<Task*> running; // of each worker; nullptr when none is left
    size_t next = 0;
    auto give = [&](size_t w) {
      running[w] = next < missing.size() ? &tasks[missing[next++]] : nullptr;
      // A worker that cannot be written to is dead: its socket polls as readable, and receive() says so.
      if (running[w])
        workers[w].send({nvrtc.file(), running[w]->name, running[w]->source});
    };
    for (size_t w = 0; w < count; ++w) {
      LLCUDA_ASSIGN_OR_RETURN(WorkerProcess worker, WorkerProcess::start(options.workerCommand));
      workers.push_back(std::move(worker));
      running.push_back(nullptr);
      give(w);
    }
    for (size_t left = missing.size(); left != 0;) {
      LLCUDA_ASSIGN_OR_RETURN(const std::vector<size_t> ready, waitForAny(workers, running));
      for (const size_t w : ready) {
        LLCUDA_ASSIGN_OR_RETURN(CompiledKernel kernel, workers[w].receive(running[w]->name));
        finish(*running[w], std::move(kernel));
        --left;
        give(w);
      }
    }
    return {};
  }

  static Result<std::vector<size_t>> waitForAny(const std::vector<WorkerProcess>& workers,
                                                const std::vector<Task*>& running) {
    std::vector<pollfd> descriptors;
    for (size_t w = 0; w < workers.size(); ++w)
      descriptors.push_back({running[w] ? workers[w].descriptor() : -1, POLLIN, 0});
    while (::poll(descriptors.data(), descriptors.size(), -1) < 0)
      if (errno != EINTR)
        return internalError("waiting for kernel workers failed: ", std::strerror(errno));
    std::vector<size_t> ready;
    for (size_t w = 0; w < workers.size(); ++w)
      if (descriptors[w].revents != 0)
        ready.push_back(w);
    return ready;
  }

  void finish(Task& task, CompiledKernel kernel) {
    if (const Result<void> stored = cache.store(task.key, kernel); !stored)
      result.cacheWarning = stored.error().message;
    task.kernel = std::move(kernel);
    report(task, false);
  }

  void report(const Task& task, bool cached) {
    ++done;
    if (options.progress)
      options.progress({done, tasks.size(), task.name, cached});
  }

  NvrtcLibrary nvrtc;
  const KernelCompileOptions& options;
  KernelCache cache;
  std::vector<Task> tasks;
  std::vector<size_t> taskOfSpec;
  std::vector<size_t> missing;
  size_t done = 0;
  CompiledKernels result;
};

} // namespace

Result<CompiledKernels> compileKernels(std::span<const KernelSpec> specs, const KernelCompileOptions& options) {
  LLCUDA_ASSIGN_OR_RETURN(NvrtcLibrary nvrtc, NvrtcLibrary::open(options.nvrtc));
  return Compilation(std::move(nvrtc), options).run(specs);
}

} // namespace llcuda::codegen
