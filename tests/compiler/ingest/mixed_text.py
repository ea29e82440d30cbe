# SPDX-License-Identifier: Apache-2.0
"""Lines of text that pull tokenizers apart: many scripts, digits, emoji, spaces, control characters, code."""
import random

PHRASES = """
The quick brown fox jumps over the lazy dog; it's 3 o'clock, and they'll've gone.
I'M SURE WE'RE RIGHT, AREN'T WE? You'D say so'S they.
def f(x: int) -> str:\n\treturn f"{x!r:>10}"  # comment
for (int i = 0; i < 1024; ++i) { a[i] += b[i] * 3.14159e-10f; }
https://example.org/path?query=1&other=two#fragment
SELECT * FROM t WHERE a <> 'b' AND c >= 100000;
Größe, Straße, Äpfel, über, naïve café, déjà vu, Œuvre, Ångström
Zażółć gęślą jaźń; Příliš žluťoučký kůň; Đường phố Hà Nội
Îmi place să citesc; İstanbul'da ılık bir gün; ğüşöç
Быстрая коричневая лиса прыгает через ленивую собаку
Швидка бура лисиця; ћирилица; Ӏэщ
Η γρήγορη αλεπού πηδά πάνω από τον σκύλο
הילד הלך לבית הספר שלום
مرحبا بالعالم، كيف حالك؟ السَّلَامُ عَلَيْكُمْ
سلام دنیا؛ چطوری؟ ۱۲۳۴۵
नमस्ते दुनिया, आप कैसे हैं? क्षत्रिय १२३
বাংলা ভাষা সুন্দর ৪৫৬
தமிழ் மொழி அழகானது
తెలుగు భాష
ไม่มีอะไรเป็นไปไม่ได้ ๑๒๓
ສະບາຍດີ မင်္ဂလာပါ ជំរាបសួរ
ქართული ენა Հայերեն լեզու
ᐃᓄᒃᑎᑐᑦ አማርኛ ቋንቋ
你好世界，今天天气很好。我喜欢读书！
東京は日本の首都です。カタカナとひらがな、漢字。
안녕하세요 세계, 오늘 날씨가 좋네요
𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛 ℌ𝔢𝔩𝔩𝔬 ｆｕｌｌｗｉｄｔｈ １２３
½ ¾ ² ³ ⅷ ① ㊗ Ⅳ ৳ ₿ € £ ¥ § ¶ † ‡ … — – ‐ ‑
😀 😂 🥹 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇯🇵 👍🏽 ❤️ 🧑🏿‍🚀 ✨🎉
e\u0301 n\u0303 a\u0308\u0323 \u200b\u200d\ufeff zero width
1 12 123 1234 12345 123456 1234567 3.14 1,000,000 0x1F 10^9
''' \"\"\" `` ~~~ ### *** --- === +++ ___ ... !!! ??? ;;; :::
<html><body class="x">&nbsp;</body></html> {"key": [1, 2, null]}
<|im_start|>user\nhi<|im_end|> <s> </s> <unk> [INST] <|endoftext|> <0x0A> <bos>
""".strip("\n").replace("\\n", "\n").replace("\\t", "\t").encode().decode("utf-8").split("\n")

SPACES = [" ", "  ", "   ", "\t", "\n", "\n\n", "\n\n\n\n", "\r\n", " \n", "\n ", "\t\t", " \t \n", "\u00a0", "\u3000",
          "\u2003", "\u2028", "\x0b", "\x0c", "\x85", "    " * 5, "\n" * 17, " " * 67]
CONTROL = ["\x00", "\x01", "\x07", "\x1b[0m", "\x7f", "\u0080", "\u009f", "\u200b", "\u200e", "\u202e", "\ufeff", "\ufffd",
           "\ue000", "\U000e0041", "\U0010fffd", "\u0378", "▁", "▁▁", "Ġ", "Ċ"]
RANGES = [(0x21, 0x7e), (0xa1, 0x17f), (0x250, 0x2af), (0x370, 0x3ff), (0x400, 0x52f), (0x590, 0x6ff), (0x900, 0xdff),
          (0xe00, 0xfff), (0x10a0, 0x13ff), (0x1e00, 0x1fff), (0x2000, 0x2bff), (0x3040, 0x30ff), (0x4e00, 0x9fa5),
          (0xac00, 0xd7a3), (0xf900, 0xfaff), (0xff00, 0xffef), (0x1f300, 0x1faff), (0x1d400, 0x1d7ff)]


def random_characters(rng):
    low, high = rng.choice(RANGES)
    return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 12)))


def shuffled_case(rng, text):
    return "".join(rng.choice((c, c.upper(), c.lower())) for c in text)


def fragment(rng):
    kind = rng.randrange(10)
    if kind < 5:
        phrase = rng.choice(PHRASES)
        start = rng.randrange(len(phrase))
        return phrase[start:start + rng.randint(1, 40)]
    if kind == 5:
        return random_characters(rng)
    if kind == 6:
        return str(rng.randrange(10 ** rng.randint(1, 14)))
    if kind == 7:
        return rng.choice(CONTROL)
    if kind == 8:
        return rng.choice("aA=-_.x#*0 'é中") * rng.randint(1, 30)
    return shuffled_case(rng, rng.choice(PHRASES)[:30])


def lines(count, seed=1):
    """The first `count` of an endless list; the phrases themselves come first."""
    rng = random.Random(seed)
    result = list(PHRASES[:count])
    while len(result) < count:
        parts = []
        for _ in range(rng.randint(1, 6)):
            parts.append(fragment(rng))
            if rng.random() < 0.6:
                parts.append(rng.choice(SPACES) if rng.random() < 0.5 else " ")
        result.append("".join(parts))
    return result
