# SPDX-License-Identifier: Apache-2.0
"""Each stage of sampling, asked for over HTTP, leaves the probabilities that its formula gives.

usage: sampler_formulas.py SERVER MODEL    a model of at most 1,040 tokens with f32 weights

Biases forbid all but a few tokens, so that `post_sampling_probs` reports all that is left. Their logits, but for a
constant, come from a chain that changes nothing, and are held to the plain log-probabilities. The formulas are those of
docs/sampling.md. """
import math
import sys

from served import Served

PROMPT = "The compiler writes the engine and the engine writes the"
CANDIDATES, TOLERANCE = 18, 1e-4
OFF = {"temperature": 1, "samplers": ["temperature"], "seed": 11}


class Model:
    def __init__(self, server):
        self.server = server
        self.vocabulary = server.ask("/v1/models")[1]["data"][0]["meta"]["n_vocab"]

    def ids(self, text):
        return self.server.post("/tokenize", {"content": text, "add_special": True})["tokens"]

    def plain(self, prompt):
        """{token: log-probability} of the 20 most likely ones."""
        answer = self.server.post("/completion", {"prompt": prompt, "n_predict": 1, "n_probs": 20, **OFF})
        return {one["id"]: one["logprob"] for one in answer["completion_probabilities"][0]["top_logprobs"]}

    def left(self, prompt, tokens, fields, count=1):
        """[(token, its probability, {token: probability})] of `count` tokens, where only `tokens` may come."""
        never = [[token, False] for token in range(self.vocabulary) if token not in tokens]
        body = {"prompt": prompt, "n_predict": count, "n_probs": 20, "post_sampling_probs": True, "logit_bias": never, **OFF, **fields}
        steps = self.server.post("/completion", body)["completion_probabilities"]
        return [(step["id"], step["prob"], {one["id"]: one["prob"] for one in step["top_probs"]}) for step in steps]

    def logits(self, prompt, tokens):
        """Of the tokens, less a constant."""
        return {token: math.log(p) for token, p in self.left(prompt, tokens, {})[0][2].items()}


# The formulas, on {token: logit}.

def ranked(logits):
    return sorted(logits, key=lambda token: (-logits[token], token))


def softmax(logits):
    largest = max(logits.values())
    weights = {token: math.exp(logit - largest) for token, logit in logits.items()}
    return {token: weight / sum(weights.values()) for token, weight in weights.items()}


def entropy(logits):
    return -sum(p * math.log(p) for p in softmax(logits).values())


def kept_until(logits, order, share, at_least):
    """The first of them, until their sum reaches `share`, or exceeds it."""
    p, total, kept = softmax(logits), 0.0, {}
    for token in order:
        kept[token] = logits[token]
        total += p[token]
        if total > share if at_least == "exceeds" else total >= share:
            break
    return kept


def top_k(logits, k):
    return {token: logits[token] for token in ranked(logits)[:k]}


def top_p(logits, share):
    return kept_until(logits, ranked(logits), share, "reaches")


def typical(logits, share):
    p, mean = softmax(logits), entropy(logits)
    return kept_until(logits, sorted(logits, key=lambda token: abs(-math.log(p[token]) - mean)), share, "exceeds")


def min_p(logits, share):
    least = max(logits.values()) + math.log(share)
    return {token: logit for token, logit in logits.items() if logit >= least}


def top_n_sigma(logits, n):
    mean = sum(logits.values()) / len(logits)
    deviation = math.sqrt(sum((logit - mean) ** 2 for logit in logits.values()) / len(logits))
    return {token: logit for token, logit in logits.items() if logit >= max(logits.values()) - n * deviation}


def xtc(logits, threshold):
    p = softmax(logits)
    likely = [token for token in ranked(logits) if p[token] >= threshold]
    return {token: logit for token, logit in logits.items() if token not in likely[:-1]}


def temperature(logits, value, spread=0.0, exponent=1.0):
    if spread:
        low, high = max(0.0, value - spread), value + spread
        value = low + (high - low) * (entropy(logits) / math.log(len(logits))) ** exponent
    return {token: logit / value for token, logit in logits.items()}


def adaptive(logits, goal):
    p = softmax(logits)
    distance = {token: abs(p[token] - goal) / 0.3 for token in p}
    return {token: 5 - 10 * d * d / (1 + d) for token, d in distance.items()}


def differ(name, wanted, found):
    """The largest difference; a candidate that is not there has none."""
    worst = max(abs(wanted.get(token, 0) - found.get(token, 0)) for token in {*wanted, *found})
    assert worst <= TOLERANCE, (name, worst, wanted, found)
    return worst


# Chains of stages without memory: what is asked for, and the formula of it.
CHAINS = {
    "temperature": ({"temperature": 0.7}, lambda z: temperature(z, 0.7)),
    "temperature above 1": ({"temperature": 1.6}, lambda z: temperature(z, 1.6)),
    "dynamic temperature": ({"samplers": ["top_k", "temperature"], "top_k": 12, "temperature": 1.1, "dynatemp_range": 0.6, "dynatemp_exponent": 1.4},
                            lambda z: temperature(top_k(z, 12), 1.1, 0.6, 1.4)),
    "top_k": ({"samplers": ["top_k"], "top_k": 5}, lambda z: top_k(z, 5)),
    "top_p": ({"samplers": ["top_p"], "top_p": 0.62}, lambda z: top_p(z, 0.62)),
    "min_p": ({"samplers": ["min_p"], "min_p": 0.13}, lambda z: min_p(z, 0.13)),
    "typ_p": ({"samplers": ["typ_p"], "typical_p": 0.57}, lambda z: typical(z, 0.57)),
    "top_n_sigma": ({"samplers": ["top_n_sigma"], "top_n_sigma": 0.9}, lambda z: top_n_sigma(z, 0.9)),
    "xtc": ({"samplers": ["xtc"], "xtc_probability": 1, "xtc_threshold": 0.04}, lambda z: xtc(z, 0.04)),
    "min_keep": ({"samplers": ["top_p"], "top_p": 0.01, "min_keep": 4}, lambda z: top_k(z, 4)),
    "the usual chain": ({"samplers": ["top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"], "top_k": 14, "typical_p": 0.95, "top_p": 0.9,
                         "min_p": 0.02, "xtc_probability": 1, "xtc_threshold": 0.2, "temperature": 0.8},
                        lambda z: temperature(xtc(min_p(top_p(typical(top_k(z, 14), 0.95), 0.9), 0.02), 0.2), 0.8)),
    "another order": ({"samplers": ["temperature", "min_p", "top_k"], "temperature": 2, "min_p": 0.3, "top_k": 9},
                      lambda z: top_k(min_p(temperature(z, 2), 0.3), 9)),
}


def chains(model, prompt, tokens, logits):
    for name, (fields, formula) in CHAINS.items():
        found = model.left(prompt, tokens, fields)[0][2]
        yield name, differ(name, softmax(formula(logits)), found)


def biases(model, prompt, tokens, logits):
    first, second = ranked(logits)[:2]
    found = model.left(prompt, tokens - {first}, {})[0][2]
    wanted = {token: logit for token, logit in logits.items() if token != first}
    yield "logit_bias false", differ("logit_bias", softmax(wanted), found)
    never = [[token, False] for token in range(model.vocabulary) if token not in tokens]
    found = model.left(prompt, tokens, {"logit_bias": [*never, [second, 1.75]]})[0][2]
    yield "logit_bias", differ("logit_bias", softmax(logits | {second: logits[second] + 1.75}), found)


def penalties(model, prompt, tokens):
    """Of tokens that stand in the prompt, once and more often. A chain of its own says which logits there were; a
    repetition divides or multiplies them themselves, so that the constant is looked for."""
    tokens = {*tokens, *prompt[-6:]}
    logits = model.logits(prompt, tokens)
    times = {token: prompt.count(token) for token in tokens}
    asked = {"samplers": ["penalties"], "repeat_last_n": -1}
    found = model.left(prompt, tokens, asked | {"frequency_penalty": 0.35, "presence_penalty": 0.2})[0][2]
    wanted = {token: logit - (times[token] > 0) * (times[token] * 0.35 + 0.2) for token, logit in logits.items()}
    yield "frequency and presence", differ("penalties", softmax(wanted), found)
    found = model.left(prompt, tokens, asked | {"repeat_penalty": 1.3})[0][2]

    def repeated(constant):
        plain = {token: logit + constant for token, logit in logits.items()}
        return softmax({token: z if not times[token] else z * 1.3 if z <= 0 else z / 1.3 for token, z in plain.items()})

    steps = [step / 200 for step in range(-6000, 6000)]
    constant = min(steps, key=lambda one: sum(abs(p - found[token]) for token, p in repeated(one).items()))
    for width in (1e-3, 1e-5):
        constant = min((constant + width * k / 20 for k in range(-120, 121)), key=lambda one: sum(abs(p - found[token]) for token, p in repeated(one).items()))
    assert sum(count > 0 for count in times.values()) >= 4
    yield "repeat", differ("repeat", repeated(constant), found)


def dry(model, tokens):
    """a b c d e a b c: `d` would go on with a repetition of three."""
    words = sorted(tokens)[-5:]
    prompt = [1, *words, *words[:3]]
    logits = model.logits(prompt, tokens)
    found = model.left(prompt, tokens, {"samplers": ["dry"], "dry_multiplier": 0.9, "dry_base": 1.6, "dry_allowed_length": 2, "dry_penalty_last_n": -1})[0][2]
    yield "dry", differ("dry", softmax(logits | {words[3]: logits[words[3]] - 0.9 * 1.6 ** (3 - 2)}), found)


def below(logits, mu):
    """mirostat 2: those that surprise by `mu` bits at most."""
    p = softmax(logits)
    return {token: logits[token] for token in ranked(logits) if -math.log2(p[token]) <= mu} or top_k(logits, 1)


def slope(logits, mu, vocabulary):
    """mirostat 1: as many as the slope of the first hundred says."""
    p = softmax(logits)
    first = [math.log(p[token]) for token in ranked(logits)[:100]]
    steps = [(math.log((i + 2) / (i + 1)), first[i] - first[i + 1]) for i in range(len(first) - 1)]
    s = sum(t * b for t, b in steps) / sum(t * t for t, _ in steps)
    k = ((s - 1) * 2**mu / (1 - vocabulary ** (1 - s))) ** (1 / s)
    return top_k(logits, max(int(k), 1))


def mirostat(model, prompt, tokens, version, tau, keep):
    name, eta, mu, worst, counts = f"mirostat {version}", 0.3, 2 * tau, 0.0, set()
    fields = {"mirostat": version, "mirostat_tau": tau, "mirostat_eta": eta, "temperature": 0.9}
    for token, _, found in model.left(prompt, tokens, fields, 5):
        kept = keep(temperature(model.logits(prompt, tokens), 0.9), mu)
        worst = max(worst, differ(name, softmax(kept), found))
        mu -= eta * (-math.log2(softmax(kept)[token]) - tau)
        prompt = [*prompt, token]
        counts.add(len(kept))
    assert len(counts) > 2, (name, counts)
    yield name, worst


def adaptive_p(model, prompt, tokens):
    target, decay = 0.3, 0.8
    total, weight = target / (1 - decay), 1 / (1 - decay)
    steps = model.left(prompt, tokens, {"samplers": ["top_k", "adaptive_p"], "top_k": 10, "adaptive_target": target, "adaptive_decay": decay}, 5)
    worst = 0.0
    for token, _, found in steps:
        logits = top_k(model.logits(prompt, tokens), 10)
        wanted = softmax(adaptive(logits, min(1.0, max(0.0, 2 * target - total / weight))))
        worst = max(worst, differ("adaptive_p", wanted, found))
        total, weight = softmax(logits)[token] + decay * total, 1 + decay * weight
        prompt = [*prompt, token]
    yield "adaptive_p", worst


def main(program, path):
    with Served(program, path, "--ctx-size", "512", "--parallel", "1") as server:
        model = Model(server)
        prompt = model.ids(PROMPT)
        plain = model.plain(prompt)
        tokens = {*ranked(plain)[:CANDIDATES]}
        logits = model.logits(prompt, tokens)
        checks = [("plain", differ("plain", softmax({token: plain[token] for token in tokens}), softmax(logits)))]
        checks += chains(model, prompt, tokens, logits)
        checks += biases(model, prompt, tokens, logits)
        checks += penalties(model, prompt, {*ranked(plain)[:12]})
        checks += dry(model, tokens)
        # Prompts of up to 8 tokens have the bits of steps that generate them.
        checks += mirostat(model, prompt[:3], tokens, 1, 3.5, lambda logits, mu: slope(logits, mu, model.vocabulary))
        checks += mirostat(model, prompt[:3], tokens, 2, 1.4, below)
        checks += adaptive_p(model, prompt[:3], tokens)
        greedy = model.left(prompt, tokens, {"temperature": 0})[0]
        assert greedy == (ranked(logits)[0], 1, {ranked(logits)[0]: 1}), greedy
        for name, worst in checks:
            print(f"{name}: {worst:.1e}")
        print(f"{len(checks)} chains are within {TOLERANCE} of their formulas, the worst by {max(worst for _, worst in checks):.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
