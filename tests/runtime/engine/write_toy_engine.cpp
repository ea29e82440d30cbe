// SPDX-License-Identifier: Apache-2.0
// write-toy-engine OUT [TEXT_SEGMENT CONFIG_OFFSET]: the toy engine as a file, for tests of programs.
#include <cstdlib>
#include <iostream>
#include <memory>

#include "tests/runtime/engine/toy_engine.h"

int main(int argc, char** argv) {
  using namespace llcuda;
  if (argc != 2 && argc != 4) {
    std::cerr << "usage: write-toy-engine OUT [TEXT_SEGMENT CONFIG_OFFSET]\n";
    return 1;
  }
  toy::ToyEngine engine = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH));
  if (argc == 4) {
    engine.text = toy::readFile(argv[2]);
    const uint64_t config = std::strtoull(argv[3], nullptr, 10);
    engine.metadata.text = std::make_unique<fb::TextT>();
    engine.metadata.text->tokenizer = std::make_unique<fb::Span>(0, config);
    engine.metadata.text->config = std::make_unique<fb::Span>(config, engine.text.size() - config);
  }
  toy::writeFile(argv[1], toy::fileBytes(engine));
  return 0;
}
