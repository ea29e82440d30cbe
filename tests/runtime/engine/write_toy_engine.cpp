// SPDX-License-Identifier: Apache-2.0
// write-toy-engine OUT [WHAT...]: the toy engine as a file, for tests of programs. WHAT: wide (decode 8 sequences at a
// time; comes first), text (give it a vocabulary), grammars (a vocabulary with punctuation, and masks), no-host (leave
// it without images that run here), wrong-golden (record values that are not its own), wrong-ids (of a recorded text).
#include <iostream>
#include <memory>
#include <string_view>

#include "tests/runtime/engine/toy_engine.h"
#include "tests/runtime/engine/toy_text.h"

int main(int argc, char** argv) {
  using namespace llcuda;
  if (argc < 2) {
    std::cerr << "usage: write-toy-engine OUT [wide] [text] [grammars] [no-host] [wrong-golden] [wrong-ids]\n";
    return 1;
  }
  const bool isWide = argc > 2 && std::string_view(argv[2]) == "wide";
  toy::ToyEngine engine =
      toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH), isWide ? toy::kWideBatch : toy::kMaxBatch);
  for (int i = isWide ? 3 : 2; i < argc; ++i) {
    const std::string_view what = argv[i];
    if (what == "text")
      toy::addText(engine);
    else if (what == "grammars")
      toy::addMasks(engine), toy::addText(engine, toy::kPunctuation);
    else if (what == "no-host")
      for (auto& kernel : engine.metadata.kernels)
        kernel->images = {fb::Image(fb::ImageKind::cubin_sm_75, kernel->images[0].span())};
    else if (what == "wrong-golden") // another token, with a lead that decides
      engine.metadata.golden->top[0] = {1, engine.metadata.golden->top[1].log_probability() + 2};
    else if (what == "wrong-ids" && engine.metadata.tokenizer_vectors)
      engine.metadata.tokenizer_vectors->ids.back() = 1;
    else
      return 1;
  }
  toy::writeFile(argv[1], toy::fileBytes(engine));
  return 0;
}
