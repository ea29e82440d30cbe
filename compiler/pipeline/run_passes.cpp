// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/run_passes.h"

#include "compiler/transforms/PlanCheck/PlanCheck.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace llcuda::pipeline {
namespace {

/// Hands text to a function as it is written.
class SinkStream final : public llvm::raw_ostream {
public:
  explicit SinkStream(const std::function<void(std::string_view)>& sink)
      : raw_ostream(/*unbuffered=*/true), sink(sink) {}

private:
  void write_impl(const char* bytes, size_t count) override {
    written += count;
    sink({bytes, count});
  }
  uint64_t current_pos() const override { return written; }

  const std::function<void(std::string_view)>& sink;
  uint64_t written = 0;
};

/// Flags of the passes of a manager, those of nested managers included: the names of its textual form,
/// `builtin.module(func.func(canonicalize{...},cse),llm-to-plan{...})`, that open no list.
std::vector<std::string> passFlags(mlir::OpPassManager& passes) {
  std::string text, name;
  llvm::raw_string_ostream stream(text);
  passes.printAsTextualPipeline(stream);
  std::vector<std::string> flags;
  int braces = 0;
  for (const char c : text) {
    braces += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (braces > 0 || c == '}')
      continue;
    if (c != '(' && c != ')' && c != ',') {
      name += c;
      continue;
    }
    if (c != '(' && !name.empty())
      flags.push_back(name);
    name.clear();
  }
  return flags;
}

Result<void> checkDumpNames(const std::vector<std::string>& wanted, mlir::OpPassManager& passes) {
  const std::vector<std::string> flags = passFlags(passes);
  for (const std::string& name : wanted)
    if (name != "all" && !llvm::is_contained(flags, name))
      return usageError("--dump-ir-after: no pass is called ", name, "; there are ", llvm::join(flags, " "),
                        " and all");
  return {};
}

/// The error is the text of the first diagnostic.
Result<void> run(mlir::PassManager& passes, mlir::ModuleOp module, const std::string& input) {
  std::string problem;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic& diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error && problem.empty())
      problem = diagnostic.str();
    return mlir::success();
  });
  if (mlir::failed(passes.run(module)))
    return unsupported(input, ": ", problem.empty() ? "a pass failed without a message" : problem);
  return {};
}

} // namespace

Result<void> runPasses(mlir::ModuleOp module, const PipelineOptions& options, const CompileOptions& compile) {
  mlir::MLIRContext* context = module.getContext();
  mlir::PassManager passes(context);
  buildPipeline(passes, options);
  LLCUDA_RETURN_IF_ERROR(checkDumpNames(compile.dumpIrAfter, passes));
  SinkStream sink(compile.dumpSink);
  if (!compile.dumpIrAfter.empty()) {
    context->disableMultithreading();
    const auto wanted = [&](mlir::Pass* pass, mlir::Operation*) {
      return llvm::is_contained(compile.dumpIrAfter, "all") ||
             llvm::is_contained(compile.dumpIrAfter, pass->getArgument());
    };
    passes.enableIRPrinting([](mlir::Pass*, mlir::Operation*) { return false; }, wanted, /*printModuleScope=*/true,
                            /*printAfterOnlyOnChange=*/false, /*printAfterOnlyOnFailure=*/false, sink);
  }
  return run(passes, module, compile.input);
}

Result<void> checkCompiledKernels(mlir::ModuleOp module, const emit::KernelImages& images, const std::string& input) {
  mlir::Builder builder(module.getContext());
  module.walk([&](plan::KernelOp kernel) {
    const auto image = images.kernels.find(kernel.getSymName().str());
    if (image == images.kernels.end() || image->second.cubin.empty())
      return;
    kernel.setRegisters(image->second.registers);
    kernel.setStaticShared(image->second.staticSharedBytes);
    kernel.setSpill(image->second.spillBytes);
  });
  // Another NVRTC may spill a few bytes where ours spills none: a slower kernel, counted in the report, not a failure.
  PlanCheckOptions check;
  check.allowSpills = true;
  mlir::PassManager passes(module.getContext());
  passes.addNestedPass<plan::EngineOp>(createPlanCheck(check));
  return run(passes, module, input);
}

} // namespace llcuda::pipeline
