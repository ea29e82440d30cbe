// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/tokenizer_texts.h"

#include <algorithm>
#include <string_view>

namespace llcuda::pipeline {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kTexts[] = {
    // Words, cases, contractions, punctuation
    "Hello"sv,
    " Hello"sv,
    "hello world"sv,
    "HELLO World"sv,
    "The quick brown fox jumps over the lazy dog."sv,
    "I'm, you're, we've, they'll, he'd, it's, don't"sv,
    "I'M YOU'RE DON'T"sv,
    "“Quoted” ‘text’ — with dashes – and … dots"sv,
    "(parentheses) [brackets] {braces} <angles>"sv,
    "!!!???...,,,;;;:::"sv,
    "a.b.c d,e,f g;h"sv,
    "e-mail: someone@example.org, https://example.org/a?b=c&d=%20#e"sv,
    "antidisestablishmentarianism"sv,
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"sv,
    "xXxXx_under_score-hyphen"sv,
    // Numbers
    "0"sv,
    "7 42 365 1969 31415 271828 1234567890"sv,
    "3.14159 -2.5e-10 1,000,000.00 0x1F 50% $9.99 №5"sv,
    "12345678901234567890123456789012345678901234567890"sv,
    "½ ¾ ² ³ ① Ⅳ 一二三 ١٢٣ १२३"sv,
    // White space
    ""sv,
    " "sv,
    "  "sv,
    "        eight"sv,
    "trailing   "sv,
    "a  b   c    d"sv,
    "\n"sv,
    "\n\n\n"sv,
    "line one\nline two\r\nline three\rline four"sv,
    "\ttab\t\ttabs \t mixed"sv,
    " \n \n  \n"sv,
    "para\n\npara\n\n\npara"sv,
    "no\u00A0break\u2003em\u200Azero\u200Bwidth\u3000ideographic"sv,
    // Code
    "int main(void) {\n    return 0;\n}\n"sv,
    "def f(x):\n\tif x >= 10:\n\t\treturn x**2 // 3\n"sv,
    "for (auto& [key, value] : map) std::cout << key << '\\n';"sv,
    "SELECT * FROM t WHERE a <> 'b' AND c IS NOT NULL;"sv,
    "{\"key\": [1, 2.5, null, true], \"nested\": {\"a\": \"b\\u0041\"}}"sv,
    "<div class=\"x\">&nbsp;</div><!-- note -->"sv,
    "$ grep -rn 'foo' ./src | wc -l && echo \"$?\""sv,
    "#!/bin/sh\n# comment\nexport A=${B:-c}\n"sv,
    "\\frac{a}{b} \\sum_{i=0}^{n} x_i^2 $E = mc^2$"sv,
    "| a | b |\n|---|---|\n| 1 | 2 |"sv,
    "```python\nprint('hi')\n```"sv,
    // Scripts
    "Grüße aus Köln, façade, naïve, Ångström, œuvre, ÿ"sv,
    "Cafe\u0301 (combining) and Café (composed)"sv,
    "Příliš žluťoučký kůň úpěl ďábelské ódy"sv,
    "Zażółć gęślą jaźń"sv,
    "İstanbul'da ılık bir gün, ĞğŞş"sv,
    "Tiếng Việt có nhiều dấu thanh"sv,
    "Быстрая коричневая лиса прыгает"sv,
    "Їжак, єнот, ґанок, Ёлка, Ђорђе"sv,
    "Η γρήγορη αλεπού πηδάει πάνω από τον σκύλο"sv,
    "שלום עולם, מה שלומך?"sv,
    "مرحبا بالعالم، كيف حالك؟"sv,
    "فارسی می‌نویسیم"sv,
    "नमस्ते दुनिया, आप कैसे हैं?"sv,
    "বাংলা ভাষা சுவை తెలుగు ಕನ್ನಡ മലയാളം"sv,
    "ภาษาไทยไม่มีช่องว่างระหว่างคำ"sv,
    "ພາສາລາວ မြန်မာဘာသာ ភាសាខ្មែរ"sv,
    "日本語のテキスト、カタカナとひらがな。"sv,
    "ﾊﾝｶｸ ＦＵＬＬ ｗｉｄｔｈ １２３"sv,
    "我能吞下玻璃而不伤身体。"sv,
    "繁體中文：憂鬱的臺灣烏龜"sv,
    "나는 유리를 먹을 수 있어요. 그래도 아프지 않아요"sv,
    "ᄒ\u1161\u11AB 한글 자모"sv,
    "გამარჯობა, Բարեւ, ሰላም, Ⲟⲩⲱϣⲧ"sv,
    "ᚠᛇᚻ᛫ᛒᛦᚦ 𓀀𓁐 𐍈 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎𠜱"sv,
    "Mixed: русский中文عربىहिन्दी日本english"sv,
    // Emoji and symbols
    "😀"sv,
    "🚀🌍🔥✨🎉"sv,
    "👨‍👩‍👧‍👦 family, 🏳️‍🌈 flag, 👍🏽 tone, 🇩🇪🇯🇵 regions"sv,
    "❤️ vs ❤, ☎️ #️⃣ 1️⃣"sv,
    "smile:) ¯\\_(ツ)_/¯ ʕ•ᴥ•ʔ"sv,
    "← ↑ → ↓ ⇒ ∀∃∈∉∑∏√∞≈≠≤≥ ∂∇"sv,
    "€ £ ¥ ₹ ₿ © ® ™ § ¶ † ‡ • ‰"sv,
    "█▓▒░ ┌─┐│└┘ ♠♣♥♦ ♪♫"sv,
    // Control characters, odd characters, bytes that are no UTF-8
    "bell\a back\b form\f vertical\v escape\033[1m"sv,
    "nul\0inside"sv,
    "\001\002\003\177"sv,
    "\xEF\xBB\xBFmark in front"sv,
    "right\u202Eto left\u202C and \u2066isolate\u2069"sv,
    "soft\u00ADhyphen word\u2060joiner variation\uFE0F"sv,
    "replacement \uFFFD private \uE000 last \U0010FFFF"sv,
    "broken \xFF\xFE bytes \xC3( \xE2\x82 end\xF0"sv,
    "\xED\xA0\x80 a surrogate"sv,
    // What looks like special tokens
    "<s> </s> <unk> <pad> [INST] [/INST] <<SYS>>"sv,
    "<|im_start|>user\nhi<|im_end|>\n"sv,
    "<start_of_turn>model\n<end_of_turn>"sv,
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n<|eot_id|>"sv,
    "<|endoftext|> <|end|> <|assistant|> <|system|>"sv,
    "▁underline Ġletter Ċletter ĉ <0x0A> <0xFF>"sv,
    "< |im_start|> <|IM_START|> <|im_start"sv,
    // Prose
    "In 1969 two people walked on the Moon while the world watched, and nobody knew what would follow."sv,
    "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer"sv,
    "Als Gregor Samsa eines Morgens aus unruhigen Träumen erwachte, fand er sich in seinem Bett verwandelt."sv,
    "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, ¿qué pasó?"sv,
    "Longtemps, je me suis couché de bonne heure. Aujourd'hui, l'été s'achève."sv,
    "Nel mezzo del cammin di nostra vita mi ritrovai per una selva oscura"sv,
};
constexpr std::string_view kJoints[] = {" "sv, ""sv, "\n"sv, ", "sv, "  "sv};

/// How many special tokens get a text of their own.
constexpr size_t kMaxSpecial = 24;

} // namespace

std::vector<std::string> tokenizerTexts(const std::vector<std::string>& special) {
  std::vector<std::string> texts(std::begin(kTexts), std::end(kTexts));
  for (size_t i = 0; i < std::min(special.size(), kMaxSpecial); ++i)
    texts.push_back("a" + special[i] + " b " + special[i]);
  for (size_t i = 0; texts.size() < kTokenizerTexts; ++i) {
    std::string text(kTexts[i * 7 % std::size(kTexts)]);
    text += kJoints[i % std::size(kJoints)];
    text += kTexts[(i * 13 + 5) % std::size(kTexts)];
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<fb::TokenizerVectorsT> tokenizerVectors(const text::Tokenizer& tokenizer, uint32_t rows) {
  std::vector<std::string> special;
  for (uint32_t id = 0; id < std::min(rows, tokenizer.vocabularySize()) && special.size() < kMaxSpecial; ++id)
    if (tokenizer.isSpecial(static_cast<int32_t>(id)))
      special.emplace_back(tokenizer.piece(static_cast<int32_t>(id)));
  fb::TokenizerVectorsT vectors;
  vectors.texts = tokenizerTexts(special);
  for (const std::string& text : vectors.texts) {
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, tokenizer.encode(text));
    vectors.ids.insert(vectors.ids.end(), ids.begin(), ids.end());
    vectors.ends.push_back(static_cast<uint32_t>(vectors.ids.size()));
  }
  return vectors;
}

} // namespace llcuda::pipeline
