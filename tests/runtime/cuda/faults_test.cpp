// SPDX-License-Identifier: Apache-2.0
// Every function of the driver fails, at every call of a run that uses all of them: each time the run must end with an
// error that names the function, and leave nothing behind.
#include <cstring>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/hostsim/control.h"
#include "tests/runtime/hostsim/host_driver.h"

namespace llcuda::cuda {
namespace {

using testing::HasSubstr;

constexpr const char* kFunctions[] = {
#define LLCUDA_DRIVER_FUNCTION(symbol, ...) #symbol,
#include "runtime/cuda/driver_functions.inc"
#undef LLCUDA_DRIVER_FUNCTION
};

/// Not counted: an error can always be described.
const std::set<std::string> kNeverFail = {"cuGetErrorName", "cuGetErrorString"};
/// Called by destructors, which have nobody to tell.
const std::set<std::string> kOfDestructors = {
    "cuDevicePrimaryCtxRelease_v2", "cuMemFree_v2",      "cuMemFreeHost",      "cuModuleUnload",
    "cuStreamDestroy_v2",           "cuEventDestroy_v2", "cuGraphExecDestroy", "cuGraphDestroy"};

Result<void> useStream(const std::shared_ptr<const Context>& context, const Stream& stream, const Module& module) {
  LLCUDA_ASSIGN_OR_RETURN(const DeviceMemory x, DeviceMemory::allocate(context, 64 * 4, "x"));
  LLCUDA_ASSIGN_OR_RETURN(const DeviceMemory y, DeviceMemory::allocate(context, 64 * 4, "y"));
  LLCUDA_ASSIGN_OR_RETURN(const PinnedMemory staging, PinnedMemory::allocate(context, 64 * 4, "staging"));
  LLCUDA_ASSIGN_OR_RETURN(const Function function, module.function("double_values"));
  LLCUDA_RETURN_IF_ERROR(module.function("dynamic_shared", 60 << 10));
  LLCUDA_ASSIGN_OR_RETURN(const Event event, Event::create(context));
  LLCUDA_RETURN_IF_ERROR(stream.fill(x.address(), 0, x.bytes()));
  LLCUDA_RETURN_IF_ERROR(stream.copyToDevice(x.address(), staging.bytes()));
  LLCUDA_RETURN_IF_ERROR(stream.beginCapture());
  const CUdeviceptr arguments[] = {x.address(), y.address()};
  Result<void> captured = stream.launch(function, {}, 64, 0, arguments);
  if (captured.ok())
    captured = stream.copyOnDevice(x.address(), y.address(), 64 * 4);
  auto graph = stream.endCapture(); // always, or the stream would go on capturing
  LLCUDA_RETURN_IF_ERROR(captured);
  if (!graph)
    return graph.error();
  LLCUDA_ASSIGN_OR_RETURN(const size_t nodes, graph->kernelNodes());
  if (nodes != 1)
    return internalError("the graph has ", nodes, " kernel nodes");
  LLCUDA_ASSIGN_OR_RETURN(const ExecutableGraph executable, graph->instantiate());
  LLCUDA_RETURN_IF_ERROR(stream.launch(executable));
  LLCUDA_RETURN_IF_ERROR(stream.record(event));
  LLCUDA_RETURN_IF_ERROR(stream.wait(event));
  LLCUDA_RETURN_IF_ERROR(event.synchronize());
  LLCUDA_RETURN_IF_ERROR(event.done());
  LLCUDA_ASSIGN_OR_RETURN(const Event start, Event::createTimed(context));
  LLCUDA_ASSIGN_OR_RETURN(const Event stop, Event::createTimed(context));
  LLCUDA_RETURN_IF_ERROR(stream.record(start));
  LLCUDA_RETURN_IF_ERROR(stream.copyToHost(staging.bytes(), y.address()));
  LLCUDA_RETURN_IF_ERROR(stream.record(stop));
  LLCUDA_RETURN_IF_ERROR(stop.synchronize());
  LLCUDA_RETURN_IF_ERROR(nanosecondsBetween(start, stop));
  LLCUDA_RETURN_IF_ERROR(stream.done());
  return stream.synchronize();
}

/// Uses every function of the table.
Result<void> run() {
  LLCUDA_ASSIGN_OR_RETURN(auto driver, Driver::open(DriverKind::kHost, LLCUDA_HOSTSIM_LIBRARY));
  LLCUDA_ASSIGN_OR_RETURN(auto context, Context::create(std::move(driver)));
  LLCUDA_RETURN_IF_ERROR(context->memoryInfo());
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile image, MappedFile::open(LLCUDA_TEST_KERNELS));
  LLCUDA_ASSIGN_OR_RETURN(const Module module, Module::load(context, image.bytes(), "the test kernels"));
  LLCUDA_ASSIGN_OR_RETURN(const Stream stream, Stream::create(context));
  return useStream(context, stream, module);
}

/// Releases the context in place of a destructor that could not. `true` if nothing is left then.
bool cleanUp(bool releaseFailed) {
  if (releaseFailed)
    hostsim::control<CUresult(CUdevice)>("cuDevicePrimaryCtxRelease_v2")(0);
  return LLCUDA_CONTROL(llcudaHostsimLiveObjects)() == 0;
}

class Faults : public testing::TestWithParam<const char*> {};

TEST_P(Faults, AreErrorsThatLeaveNothingBehind) {
  const std::string function = GetParam();
  const auto inject = LLCUDA_CONTROL(llcudaHostsimInjectFault);
  const auto struck = LLCUDA_CONTROL(llcudaHostsimFaultStruck);
  const uint64_t callsBefore = LLCUDA_CONTROL(llcudaHostsimCallCount)(function.c_str());
  ASSERT_TRUE(run().ok()) << run().error().message;
  if (kNeverFail.contains(function))
    return;
  const uint64_t calls = LLCUDA_CONTROL(llcudaHostsimCallCount)(function.c_str()) - callsBefore;
  ASSERT_NE(calls, 0u) << "a function that nobody calls has no place in the table";
  for (uint64_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE(n);
    ASSERT_TRUE(inject(function.c_str(), n, CUDA_ERROR_SYSTEM_NOT_READY));
    const Result<void> result = run();
    EXPECT_TRUE(struck());
    if (kOfDestructors.contains(function)) {
      EXPECT_TRUE(result.ok());
    } else if (result.ok()) {
      // A destructor chooses the device too; what it cannot free goes with the context.
      EXPECT_EQ(function, "cuCtxSetCurrent");
    } else {
      EXPECT_THAT(result.error().message, HasSubstr(function + " gave CUDA_ERROR_SYSTEM_NOT_READY"));
    }
    EXPECT_TRUE(cleanUp(function == "cuDevicePrimaryCtxRelease_v2"));
  }
  EXPECT_TRUE(run().ok()) << "and all is well again";
}

INSTANTIATE_TEST_SUITE_P(Driver, Faults, testing::ValuesIn(kFunctions),
                         [](const auto& info) { return std::string(info.param); });

// By number of call, whatever the function: what a test of the layers above does.
TEST(AnyFault, AtEveryCallOfARun) {
  const auto inject = LLCUDA_CONTROL(llcudaHostsimInjectFault);
  const auto struck = LLCUDA_CONTROL(llcudaHostsimFaultStruck);
  const auto liveObjects = LLCUDA_CONTROL(llcudaHostsimLiveObjects);
  uint64_t n = 0, failed = 0;
  do {
    ASSERT_TRUE(inject(nullptr, ++n, CUDA_ERROR_OUT_OF_MEMORY));
    failed += !run().ok();
    EXPECT_TRUE(cleanUp(liveObjects() == 1)) << n; // the last call of a run releases the context
  } while (struck() && n < 1000);
  inject(nullptr, 0, 0);
  EXPECT_GT(failed, 40u);
  EXPECT_LT(n, 1000u);
}

TEST(AnyFault, OfAnUnknownFunctionIsRefused) {
  EXPECT_FALSE(LLCUDA_CONTROL(llcudaHostsimInjectFault)("cuNoSuchFunction", 1, 1));
}

} // namespace
} // namespace llcuda::cuda
