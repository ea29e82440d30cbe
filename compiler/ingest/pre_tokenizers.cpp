// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/pre_tokenizers.h"

#include <algorithm>

namespace llcuda::ingest {
namespace {

// The building blocks. Letters of both cases are one class where a GGUF's reader has always had it so: ids follow the
// files in use, not the regex that a model was trained with.
#define CONTRACTION "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
#define WORD R"([^\r\n\p{L}\p{N}]?\p{L}+)"
#define SYMBOLS R"( ?[^\s\p{L}\p{N}]+[\r\n]*)"
#define SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
#define CASED(upper_count, lower_count)                                                                                \
  R"([^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]])" upper_count R"([\p{L}&&[^A-Z]])" lower_count
#define ASCII_PUNCTUATION_WORD R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+)"
#define MARKED_WORD R"([^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))";
constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kThreeDigits = R"(\p{N}{1,3})";
constexpr std::string_view kAsciiThreeDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kLines = R"([^\n]+|[\n]+)";
constexpr std::string_view kLineEnd = R"([\r\n])";
constexpr std::string_view kHanKana = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr std::string_view kHanHangul = R"([[\x{800}-\x{9FA5}\x{AC00}-\x{D7FF}]&&\S]+)";

constexpr std::string_view kLlama3 = CONTRACTION "|" WORD "|"
                                                 R"(\p{N}{1,3})"
                                                 "|" SYMBOLS "|" SPACES;
constexpr std::string_view kQwen2 = CONTRACTION "|" WORD "|"
                                                R"(\p{N})"
                                                "|" SYMBOLS "|" SPACES;
constexpr std::string_view kMiniCpm5 = CONTRACTION "|" WORD "|"
                                                   R"(\p{N}+)"
                                                   "|" SYMBOLS "|" SPACES;
constexpr std::string_view kUfakzeka = WORD "|"
                                            R"(\p{N})"
                                            "|" SYMBOLS "|" SPACES;
constexpr std::string_view kQwen35 =
    CONTRACTION R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" SPACES;
constexpr std::string_view kSeedCoder = CONTRACTION "|" WORD R"(|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|)" SPACES;
constexpr std::string_view kJais2 = CONTRACTION
    "|" WORD R"(|\p{N}{1,3})"
    "|" SYMBOLS
    R"(|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s)";
constexpr std::string_view kBailingMoe = R"('(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|)" WORD R"(|\p{N})"
                                         "|" SYMBOLS R"(|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kExaoneMoe = CONTRACTION
    R"(|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken = CASED("*", "+") "|" CASED("+", "*") R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES;
constexpr std::string_view kGpt4o =
    CASED("*", "+") CONTRACTION "?|" CASED("+", "*") CONTRACTION R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES;
constexpr std::string_view kGraniteEmbedding =
    R"([^\r\n\p{L}\p{N}]?[[\p{L}\p{M}]&&[^a-z]]*[[\p{L}\p{M}]&&[^A-Z]]+)" CONTRACTION
    R"(?|[^\r\n\p{L}\p{N}]?[[\p{L}\p{M}]&&[^a-z]]+[[\p{L}\p{M}]&&[^A-Z]]*)" CONTRACTION
    R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES;
constexpr std::string_view kTinyAya =
    R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)" CONTRACTION R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES;
constexpr std::string_view kYoutu =
    R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)" CONTRACTION R"(?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES;
constexpr std::string_view kYoutuScripts =
    R"([\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+|[\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C}\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|[\x{3105}-\x{312F}]+|[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr std::string_view kDigitsFromRight = R"(\P{N}*\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})))";
constexpr std::string_view kDeepseek3 = ASCII_PUNCTUATION_WORD "|" MARKED_WORD R"(| ?[\p{P}\p{S}]+[\r\n]*|)" SPACES;
constexpr std::string_view kSpark = ASCII_PUNCTUATION_WORD "|" MARKED_WORD R"(| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepseekWords =
    R"(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)";
constexpr std::string_view kDeepseekPunctuation =
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3001}\x{3002}]+)";
constexpr std::string_view kFalconPunctuation = R"([\p{P}$+<=>^~|`]+)";
constexpr std::string_view kDefaultPunctuation = R"([\p{P}$+<=>^~|]+)";
constexpr std::string_view kSentinels = "<sentinel:[0-9]+>";
constexpr std::string_view kImageTokens = "IMGIMG[A-I]{1,4}Z";
constexpr std::string_view kChameleonSpaces = "[\\t\\n]|    |  ";
constexpr std::string_view kPunctuation = R"([\p{P}!-/:-@\[-`{-~])";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)";
constexpr std::string_view kAfmoeScripts =
    R"([\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{8C48}-\x{FAFF}\x{3040}-\x{309F}\x{30A0}-\x{30FF}\x{FF65}-\x{FF9F}\x{2F00}-\x{2FDF}\x{E40}-\x{E7F}\x{E80}-\x{EFF}\x{1780}-\x{17FF}\x{1000}-\x{109F}\x{AA60}-\x{AA7F}\x{A9E0}-\x{A9FF}\x{AC00}-\x{D7AF}\x{1100}-\x{11FF}]+)";

#undef CONTRACTION
#undef WORD
#undef SYMBOLS
#undef SPACES
#undef CASED
#undef ASCII_PUNCTUATION_WORD
#undef MARKED_WORD

struct Family {
  std::vector<std::string_view> names;
  PreTokenizer rule;
};

const std::vector<Family>& families() {
  static const std::vector<Family> kFamilies = {
      {{"default", ""}, {.patterns = {kDefaultPunctuation, kGpt2, R"(\p{N}+)", kAsciiThreeDigits}}},
      {{"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"},
       {.patterns = {kLlama3}, .wholeWords = true, .addBos = true}},
      {{"dbrx", "smaug-bpe"}, {.patterns = {kLlama3}}},
      {{"chatglm-bpe"}, {.patterns = {kLlama3}, .hasBos = false}},
      {{"glm4", "glm5"}, {.patterns = {kLlama3}, .wholeWords = true, .hasBos = false}},
      {{"jais-2"}, {.patterns = {kJais2}}},
      {{"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2"},
       {.patterns = {kQwen2}}},
      {{"laguna"}, {.patterns = {kLines, kQwen2}}},
      {{"qwen35"}, {.patterns = {kQwen35}}},
      {{"ufakzeka"}, {.patterns = {kUfakzeka}}},
      {{"minicpm5"}, {.patterns = {kThreeDigits, kMiniCpm5}, .wholeWords = true}},
      {{"seed-coder"}, {.patterns = {kSeedCoder}}},
      {{"bailingmoe", "bailingmoe2", "llada-moe"}, {.patterns = {kBailingMoe}}},
      {{"exaone-moe"}, {.patterns = {kExaoneMoe}}},
      {{"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"},
       {.patterns = {kDigit, kGpt2}}},
      {{"gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",
        "modern-bert", "jina-v1-en", "jina-v2-code", "roberta-bpe", "exaone4", "mpt", "olmo", "jais", "trillion",
        "granite-docling"},
       {.patterns = {kGpt2}}},
      {{"falcon"}, {.patterns = {kFalconPunctuation, kGpt2, kAsciiThreeDigits}}},
      {{"poro-chat", "bloom", "gpt3-finnish"}, {.patterns = {kBloom}}},
      {{"viking"}, {.patterns = {kBloom, kDigit}}},
      {{"tekken"}, {.patterns = {kTekken}, .wholeWords = true, .addBos = true}},
      {{"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}, {.patterns = {kGpt4o}}},
      {{"granite-embed-multi-97m"}, {.patterns = {kGraniteEmbedding}, .wholeWords = true}},
      {{"chameleon"},
       {.patterns = {kSentinels, kImageTokens, kChameleonSpaces, kDigit, kPunctuation, kGpt2}, .addBos = true}},
      {{"tiny_aya", "cohere2moe"}, {.patterns = {kDigitsFromRight, kTinyAya}}},
      {{"youtu"}, {.patterns = {kYoutuScripts, kYoutu}, .wholeWords = true}},
      {{"afmoe"}, {.patterns = {kDigitsFromRight, kAfmoeScripts, kDeepseek3}}},
      {{"deepseek-llm"},
       {.patterns = {kLineEnd, kDeepseekWords, kDeepseekPunctuation, R"(\s+$)", kHanHangul, R"(\p{N}+)"}}},
      {{"deepseek-coder"}, {.patterns = {kLineEnd, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kHanHangul, kDigit}}},
      {{"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"}, {.patterns = {kThreeDigits, kHanKana, kDeepseek3}}},
      {{"spark2_5"}, {.patterns = {kThreeDigits, kHanKana, kSpark, kDigit}}},
      {{"superbpe"}, {.patterns = {R"(\p{N}+)", "(?=(?:[0-9]{3})+(?![0-9]))"}}},
      {{"gemma4", "sarvam-moe", "granite-embed-multi-311m"}, {.patterns = {kLines}, .byteLevel = false}},
  };
  return kFamilies;
}

} // namespace

const PreTokenizer* findPreTokenizer(std::string_view name) {
  for (const Family& family : families())
    if (std::find(family.names.begin(), family.names.end(), name) != family.names.end())
      return &family.rule;
  return nullptr;
}

} // namespace llcuda::ingest
