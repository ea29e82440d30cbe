# SPDX-License-Identifier: Apache-2.0
"""What jinja2 writes for many small templates and for the shapes of well known chat templates.

jinja_rows.py make FILE    records the answers (needs the jinja2 package)
jinja_rows.py check FILE   compares recorded answers with those of the jinja2 that is installed

The environment is the one in which transformers renders chat templates.
"""
import datetime
import json
import pathlib
import sys

import jinja_shapes

CONTEXT = {
    "x": 3, "y": 2.5, "z": None, "t": True, "s": "Hello, World", "e": "", "u": "Größe ß é 漢字 😀",
    "l": [3, 1, 2], "ls": ["b", "A", "c", "B"], "d": {"b": 1, "a": "two", "C": [1, {"k": None}]}, "n": {},
    "people": [{"name": "Bo", "age": 30, "at": {"city": "Rome"}}, {"name": "al", "age": 25, "at": {"city": "Oslo"}},
               {"name": "Cy", "age": 30, "at": {"city": "rome"}}],
    "nested": [[1, 2], [3], []], "floats": [1.0, 0.1, 1e16, 1e-5, 123456789.123, -0.0, 2.5e300],
    "text": "  two\n lines\r\nand\ttabs  ", "html": "<a href=\"x\">Tom & 'Jo'</a>",
}

VALUES = ["x", "y", "z", "t", "s", "e", "u", "l", "ls", "d", "n", "missing", "nested", "(1, 'a')", "range(3)", "-7",
          "'12'", "' 3.9 '", "d.items()", "people", "1e3", "text"]

TESTS = ["defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping",
         "sequence", "iterable", "callable", "odd", "even", "lower", "upper", "filter", "test", "escaped",
         "divisibleby(3)", "divisibleby 2", "eq(3)", "equalto 'two'", "ne 3", "in [3, 2.5]", "sameas none", "gt 2", "lt(2)",
         "ge 3", "le 3", "in d", "in 'Hello, World!'"]

FILTERS = ["abs", "capitalize", "count", "default('D')", "d('D', true)", "dictsort", "e", "escape", "first", "float",
           "float(7)", "forceescape", "int", "int(7)", "items|list", "join", "join('-')", "last", "length", "list", "lower",
           "max", "min", "reverse|list", "round", "round(1)", "safe", "select|list", "reject|list", "sort",
           "sort(reverse=true)", "string", "striptags", "sum", "title", "tojson", "tojson(indent=2)", "trim", "unique|list",
           "upper", "urlencode", "wordcount", "map('string')|list", "batch(2)|list", "slice(2)|list", "truncate(5)", "indent",
           "center(20)", "replace('l', 'L')", "xmlattr", "filesizeformat", "attr('upper')", "wordwrap(8)"]

STR_METHODS = ["capitalize()", "casefold()", "center(15)", "center(16, '*')", "count('l')", "count('')", "endswith('d')",
               "endswith(('x', 'd'))", "expandtabs()", "expandtabs(4)", "find('o')", "find('o', 5)", "find('zz')", "index('o')",
               "index('zz')", "isalnum()", "isalpha()", "isascii()", "isdecimal()", "isdigit()", "isidentifier()", "islower()",
               "isnumeric()", "isprintable()", "isspace()", "istitle()", "isupper()", "join(['a', 'b'])", "ljust(15) ~ '|'",
               "ljust(15, '.')", "lower()", "lstrip()", "lstrip('He')", "partition(',')", "partition('o')", "partition('zz')",
               "removeprefix('He')", "removesuffix('ld')", "replace('l', 'L')", "replace('l', 'L', 1)", "replace('', '-')",
               "rfind('o')", "rfind('o', 0, 5)", "rindex('o')", "rjust(15)", "rpartition('o')", "rpartition('zz')", "rsplit()",
               "rsplit('o')", "rsplit('o', 1)", "rsplit(maxsplit=1)", "rstrip()", "rstrip('dl')", "split()", "split('o')",
               "split('o', 1)", "split(maxsplit=1)", "split(sep=', ')", "split('')", "splitlines()", "splitlines(true)",
               "splitlines(keepends=true)", "startswith('He')", "startswith('ll', 2)", "startswith(('x', 'He'))", "strip()",
               "strip('Hd')", "swapcase()", "title()", "upper()", "zfill(15)", "encode", "format()", "nothing()"]

STATEMENTS = r"""
{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}
{% for i in l %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }};{% endfor %}
{% for i in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }};{% endfor %}
{% for i in l %}{{ loop.cycle('a', 'b') }}{% endfor %}
{% for i in [1, 1, 2, 2] %}{{ loop.changed(i) }}{% endfor %}
{% for i in [] %}x{% else %}empty{% endfor %}
{% for i in missing %}x{% else %}empty{% endfor %}
{% for i in l %}{% continue %}{% else %}E{% endfor %}
{% for i in l %}{% break %}{% else %}E{% endfor %}
{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% else %}E{% endfor %}
{% for i in l if i > 1 %}{{ i }}/{{ loop.length }} {% else %}none{% endfor %}
{% for i in l if i > 9 %}{{ i }}{% else %}none{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}
{% for k in d %}{{ k }};{% endfor %}
{% for (a, b) in [(1, 2), (3, 4)] %}{{ a + b }};{% endfor %}
{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}
{% for a, b in [[1]] %}{{ a }}{% endfor %}
{% for a in 5 %}{{ a }}{% endfor %}
{% for a in none %}{{ a }}{% endfor %}
{% for c in 'aß漢' %}{{ c }}.{% endfor %}
{% for i in l recursive %}{{ i }}{% if i == 3 %}{{ loop([7, 8]) }}{% endif %}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}
{% for i in l %}{% for j in nested %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}
{% for i in l %}{% set x = i %}{{ x }}{% endfor %}{{ x }}
{% set x = 1 %}{% for i in l %}{% if i == 2 %}{% set x = 5 %}{% endif %}{{ x }}{% endfor %}{{ x }}
{% if true %}{% set q = 4 %}{% endif %}{{ q }}
{% if x == 3 %}a{% elif x == 4 %}b{% else %}c{% endif %}
{% if z %}a{% elif y %}b{% else %}c{% endif %}
{% set ns = namespace(a=1, b='x') %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns }}{{ ns['a'] }}{{ ns.a is defined }}{{ ns.zz is defined }}
{% set ns = namespace() %}{% set ns._a = 1 %}{{ ns._a }}
{% set d.x = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}
{% set a = 1, 2 %}{{ a }}
{% set (a, b) = (1, 2) %}{{ a }}{{ b }}
{% set a %}x{{ s }}y{% endset %}{{ a }}{{ a | length }}
{% set a | upper | replace('H', 'J') %}x{{ s }}y{% endset %}{{ a }}
{% set a %}{% set inner = 2 %}{% endset %}{{ inner }}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% with x = 5, y = x %}{{ x }}{{ y }}{% endwith %}{{ x }}
{% with %}{% set x = 9 %}{{ x }}{% endwith %}{{ x }}
{% filter upper %}abc {{ s }}{% endfilter %}
{% filter replace('a', 'b') | upper %}abc{% endfilter %}
{% macro m(a, b=2) %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}{{ m() }}
{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, k=4) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(q=2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m.name }}{{ m is callable }}
{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}
{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}inside {{ s }}{% endcall %}
{% macro m() %}{{ caller(1, b=2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}-{{ b }}{% endcall %}
{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}
{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}
{% macro m() %}{{ later }}{% endmacro %}{% set later = 7 %}{{ m() }}
{% macro m() %}{{ x }}{% set x = 1 %}{% endmacro %}{{ m() }}{{ x }}
{% macro m() %} a {% endmacro %}{{ m() | trim }}{{ m() | length }}
{% macro outer() %}{% macro inner() %}in{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}
{% macro m(a='x' ~ 'y') %}{{ a }}{% endmacro %}{{ m() }}
{{ undefined_macro() }}
{% raw %}{{ x }}{% if %}{% endraw %}
  {% raw %}  a  {% endraw %}  
{%- raw -%}  a  {%- endraw -%}  b
{# a comment #}x{# another
over lines #}y
a {#- strips -#} b
{% print x, s %}
{% generation %}{{ s }}{% endgeneration %}
{% generation %}{% set a = 1 %}{% endgeneration %}{{ a }}
{% block b %}{{ x }}{% endblock %}
{% for i in l %}{% block c scoped %}{{ i }}{% endblock %}{% endfor %}
{% autoescape false %}{{ html }}{% endautoescape %}
{% do l %}
{% unknown %}
{% if x %}
{% endif %}
{% for %}
{% set %}
{{ 
{% if x
{{ x }
{{ (x }}
{{ x) }}
{{ [1, 2 }}
{{ x y }}
{{ 1 2 }}
{{ 'abc }}
{{ x | nofilter }}
{% if false %}{{ x | nofilter }}{% endif %}ok
{{ x is notest }}
{{ (x | nofilter) if false else 'ok' }}
{% include 'x' %}
{% extends 'x' %}
{% break %}
{% for loop in l %}{% endfor %}
{{ raise_exception('no') }}
{{ '{{' }}{{ '}}' }}{{ '%}' }}
{{ {'a': {'b': 1}}['a']['b'] }}{{ {}|length }}
{%set a=1%}{{a}}{%if a%}y{%endif%}
{%- if x -%}  a  {%- endif -%}  b
{%+ if x +%}  a  {%+ endif +%}  b
   {% if x %}
   a
   {% endif %}
b
   {{ x }}
   {%- if x %}

a
{%- endif %}

b
a
{% set a = 1 -%}
   b
x {%- if true %} y {% endif -%} z
{% if true %}a
{% endif %}


{{ x }}
{% for i in l -%}
  {{ i }}
{%- endfor %}
{{- x -}} a {{+ y }}
a{{ x -}}   
b
{% if x %}	tab{% endif %}
"""

EXPRESSIONS = r"""
1 + 2 * 3 ** 2
2 ** 3 ** 2
-2 ** 2
7 // 2
-7 // 2
7 // -2
7 % 3
-7 % 3
7 % -3
7.5 % 2
-7.5 % 2
7.5 // 2
-7.5 // 2
7 / 2
6 / 2
1 / 0
1 // 0
1 % 0
1.0 / 0
2 ** -1
2 ** 0.5
10 ** 20
1 - -1
- - 3
+3
-x | abs
-'a'
1 + 1.5
1 + true
true + true
'a' + 'b'
'a' + 1
1 + 'a'
'a' ~ 1 ~ none ~ 2.0 ~ true
'ab' * 3
3 * 'ab'
'ab' * -1
[1] * 2
[1] + [2]
(1,) + (2,)
[1] + (2,)
'%s is %d and %.2f' % ('a', 3, 2.5)
'%s' % 'a'
'%s' % [1, 'x']
'%r %s' % ('a', 'b')
'%5d|%-5d|%05d|%+d|% d' % (42, 42, 42, 42, 42)
'%x %X %o %#x' % (255, 255, 8, 255)
'%e %E %g %G' % (12345.678, 0.00012, 0.00001, 1e10)
'%g %g %g' % (100000.0, 1000000.0, 0.0001)
'%10s|%-10s|%.2s' % ('abc', 'abc', 'abc')
'%(a)s-%(b)d' % {'a': 'x', 'b': 3}
'%%' % ()
'%d%%' % 5
'%s' % ()
'%s' % (1, 2)
'%d' % 'a'
'%c%c' % ('a', 66)
'%*d' % (6, 42)
'%s %s' | format('a', 2)
'%(k)s' | format(k='v')
'{} {}'.format(1, 'a')
'{0} {1} {0}'.format('a', 'b')
'{a} {b.city} {c[0]}'.format(a=1, b=people[0].at, c=[7])
'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd')
'{:05d} {:+d} {:,} {:x} {:b} {:#o}'.format(42, 42, 1234567, 255, 5, 8)
'{:.2f} {:e} {:g} {:%} {:10.3f}|'.format(3.14159, 1234.5, 0.0001, 0.25, 2.5)
'{!r} {!s}'.format('a', 'b')
'{:{}}'.format('a', 5)
'{{}}'.format()
'{'.format()
'{} {}'.format(1)
'{:.3}'.format('abcdef')
'{}'.format(1.0)
1 < 2
1 < 2 < 3
3 > 2 > 2
1 == 1.0
1 == true
'a' == 'a'
'a' < 'b'
'a' < 'B'
[1, 2] < [1, 3]
[1, 2] == [1, 2]
(1, 2) == [1, 2]
{'a': 1} == {'a': 1.0}
none == none
none < 1
'a' < 1
missing == missing
missing == none
missing < 1
not x
not not x
not x == 3
x and y
z and y
z or y
e or s
missing or 'd'
x if y
x if z
x if z else y
x if z else y if z else s
(x if z) is defined
1 in l
9 in l
9 not in l
'll' in s
'zz' in s
'' in s
1 in s
'b' in d
'zz' in d
1 in missing
1 in none
1 in (1, 2)
1 in range(3)
'a' in d.values()
l[0]
l[-1]
l[9]
l['a']
l[1:]
l[:2]
l[::-1]
l[::2]
l[-2:]
l[5:]
l[1:2:1]
s[0]
s[-1]
s[99]
s[:5]
s[::-1]
u[-1]
u[1:3]
u[::-1]
(1, 2, 3)[1:]
range(10)[2:5] | list
range(5)[-1]
missing[1:]
missing[0]
missing.a
missing.a.b
none.a
none.a.b
none[0]
none[1:]
d.b
d['b']
d.zz
d.zz.y
d['zz']
d.C[1].k
d['C'].0
d.items
d.keys() | list
d.values() | list
d.items() | list
d.get('b')
d.get('zz')
d.get('zz', 5)
d.get()
d.copy()
d.update({'x': 1})
d.pop('b')
d.setdefault('q', 1)
l.append(4)
l.pop()
l.index(1)
l.index(9)
l.count(1)
l.copy()
l.sort
l.append is defined
d.update is defined
d.__class__
s.__class__.__mro__
s.upper
x.bit_length()
y.is_integer()
people[0].name
people | map(attribute='name') | list
people | map(attribute='at.city') | join(', ')
people | map(attribute='zz', default='-') | join
people | map(attribute='zz') | list
people | map('upper') | list
people | map(attribute='name') | map('upper') | join(',')
people | selectattr('age', 'equalto', 30) | map(attribute='name') | list
people | selectattr('age', '>', 26) | list | length
people | rejectattr('age', 'eq', 30) | map(attribute='name') | list
people | selectattr('zz') | list
people | rejectattr('zz', 'defined') | list | length
people | selectattr('at.city', 'in', ['Rome', 'Oslo']) | map(attribute='name') | list
people | sort(attribute='name') | map(attribute='name') | list
people | sort(attribute='name', case_sensitive=true) | map(attribute='name') | list
people | sort(attribute='age,name') | map(attribute='name') | list
people | sort(reverse=true, attribute='age') | map(attribute='name') | list
people | sort(false, true, 'name') | map(attribute='name') | list
people | groupby('age')
people | groupby('at.city') | map('first') | list
people | groupby('at.city', case_sensitive=true) | map('first') | list
people | groupby('zz', default='none') | map('first') | list
people | sum(attribute='age')
people | sum('age', 100)
people | min(attribute='age')
people | max(attribute='age')
people | max(attribute='name')
people | unique(attribute='age') | map(attribute='name') | list
people | join('; ', attribute='name')
people | join(d='+', attribute='age')
people | tojson
people | map('tojson') | join('\n')
people | first
people | last
people | tojson(indent=2)
people | tojson(indent=4, sort_keys=true)
ls | sort
ls | sort(case_sensitive=true)
ls | sort(reverse=true)
ls | unique | list
ls | unique(case_sensitive=true) | list
ls | min
ls | max
ls | max(case_sensitive=true)
ls | map('lower') | list
ls | select('upper') | list
ls | select('in', ['A', 'b']) | list
ls | reject('equalto', 'b') | list
ls | join(', ')
ls | select('nosuch') | list
ls | map('nosuch') | list
[] | min
[] | max | default('none')
[] | first
[] | last
[] | first | default('x')
[] | sum
[1, 'a'] | sort
[none, 1] | sort
[2, true, 1.5] | sort
[[2, 'b'], [1, 'z'], [2, 'a']] | sort
nested | map('length') | list
nested | map('first') | list
nested | sum(start=[])
l | batch(2) | list
l | batch(2, 'x') | list
l | slice(2, 'x') | list
l | slice(2) | list
l | reverse | list
l | sort | reverse | first
l | map('string') | join('-')
l | select('odd') | list
l | select('divisibleby', 3) | list
l | select('gt', 1) | list
l | list | length
(l | select) | length
l | select | first
l | reverse | first
s | reverse
d | dictsort
d | dictsort(true)
d | dictsort(by='value')
{'b': 2, 'A': 1, 'c': 0} | dictsort
{'b': 2, 'A': 1, 'c': 0} | dictsort(case_sensitive=true)
{'b': 2, 'A': 1, 'c': 0} | dictsort(false, 'value')
{'b': 2, 'A': 1} | dictsort(reverse=true)
{'b': 2, 'A': 1} | dictsort(by='zz')
d | items | list
missing | items | list
missing | length
missing | first
missing | last
missing | list
missing | join(',')
missing | default
missing | default('x')
missing | default(default_value='x')
none | default('x')
none | default('x', true)
none | default('x', boolean=true)
'' | d('x', true)
missing | string
missing | upper
missing | tojson
missing | int
missing | abs
missing | trim
missing | sort
missing | map('upper') | list
missing is iterable
missing is sequence
missing.x is defined
d.zz.x is defined
'12' | int
'0x1f' | int
'0x1f' | int(base=16)
'1f' | int(0, 16)
'0b101' | int(base=2)
'17' | int(base=8)
'z' | int(-1)
'z' | int(default=-1, base=16)
'3.7' | int
'1e3' | int
' 42 ' | int
'1_000' | int
3.9 | int
-3.9 | int
true | int
none | int
none | int('x')
'inf' | int
'1.5' | float
'x' | float
'x' | float(2.0)
'1e3' | float
' 7 ' | float
3 | float
'nan' | float
'inf' | float
2.5 | round
3.5 | round
0.5 | round
-2.5 | round
2.675 | round(2)
1.005 | round(2)
42.55 | round(1)
42 | round
42 | round(-1)
45 | round(-1)
55 | round(-1)
1234.5 | round(-2)
2.1 | round(0, 'ceil')
2.9 | round(0, 'floor')
2.123 | round(2, 'ceil')
-2.123 | round(precision=2, method='floor')
2 | round(0, 'ceil')
2.5 | round(method='x')
'a' | round
2.5 | round | int
floats
floats | tojson
floats | map('string') | join(' ')
[1e22, 1e21, 123456789012345680.0, 0.0001, 0.00001, 1.0e-7, 5e-324]
1e5
1.
1e16 ~ ''
1_000
0x1F
0b11
0o17
1_0.5
12345678901234567890
123456789012345678901234567890
1.0 | string
3.0 | tojson
'Größe ß' | upper
'ÄÖ' | lower
'ǆ' | upper
u | length
u | tojson
u | tojson(ensure_ascii=true)
u | upper
u | title
u | capitalize
u | list
'a"b\'c\\d\n\t\r\x07/' | tojson
'</script>&' | tojson
['a\'b', "a\"b", 'a\'"b', 'a\nb', 'a\\b', '\x00\x7f\xa0é\u200b']
d
d | string
d | tojson
d | tojson(sort_keys=true)
d | tojson(separators=(',', ':'))
d | tojson(separators=[',', ':'])
d | tojson(indent='  ')
d | tojson(indent=0)
d | tojson(false, 2)
d | tojson(nosuch=1)
{1: 'a', none: 2, true: 3, 1.5: 4, 'k': 5} | tojson
{'z': 1, 'a': 2, 'm': 3} | tojson
{(1, 2): 3} | tojson
(1, 2) | tojson
[] | tojson(indent=2)
{} | tojson(indent=2)
[[], {}, [{}]] | tojson(indent=2)
range(3) | tojson
d.items() | tojson
{'a': 1, 'a': 2}
{[1]: 2}
{1: 'a', true: 'b', 1.0: 'c'}
{'a': 1}.a
[1, [2, [3, (4,)]], {'k': (5, 6)}]
(1,)
()
(1, 2)
1, 2
[none, true, false, 1.0, 'x']
'\u00e9\x41\101\t|\n|\\|\'|\"|\q'
'\U0001F600'
'\u2028' | length
'\x4'
'a' 'b' "c"
"it's"
'a\
b'
dict(a=1, b=2)
dict([('a', 1), ('b', 2)])
dict([['a', 1]], c=3)
dict({'a': 1}, b=2)
dict(d).b
dict([1])
dict.fromkeys(['a', 'b'], 0)
dict(d, **{'b': 9})
dict(1)
range(5) | list
range(2, 5) | list
range(10, 0, -3) | list
range(0)
range(3)
range(0, 10, 2)
range(1000000)
range(1, 2, 0)
range('a')
cycler('a', 'b')
'hello world foo bar' | truncate(11)
'hello world foo bar' | truncate(11, true)
'hello world foo bar' | truncate(length=11, end='!', leeway=0)
'hello world foo bar' | truncate(11, killwords=true, end='', leeway=0)
'hello' | truncate(5)
'hello' | truncate(2)
'hello wor' | truncate(5)
'hello world' | wordcount
"it's a well-known fact_1" | wordcount
'' | wordcount
'hello-world (foo) [bar] {baz} <q> it\'s' | title
'hello-world (foo) it\'s'.title()
'a long line that has to be wrapped somewhere' | wordwrap(12)
'averyveryverylongword in a line' | wordwrap(8)
'averyveryverylongword in a line' | wordwrap(8, false)
'a b\n\nc d' | wordwrap(3)
'well-known facts are well-known' | wordwrap(10)
'a b c' | wordwrap(3, wrapstring='|')
'a\nb\n\nc' | indent
'a\nb\n\nc' | indent(2)
'a\nb\n\nc' | indent(2, true)
'a\nb\n\nc' | indent(width=2, first=true, blank=true)
'a\nb' | indent('> ')
'a\nb' | indent('> ', first=true)
'a\n' | indent
'  x ' | trim
'xxaxx' | trim('x')
'xxaxx' | trim(chars='x')
'abc' | replace('b', 'x')
'aaa' | replace('a', 'b', 2)
'aaa' | replace('a', 'b', count=1)
1234 | replace(2, 'x')
'abc' | center(9)
'abc' | center(8)
'abc' | center
'<a>&\'"' | e
html | striptags
'a <b>c</b>  d <!-- x --> e' | striptags
'a b/c?d=é' | urlencode
{'a b': 'c&d', 'e': 1} | urlencode
[('a', 1), ('b', 2)] | urlencode
{'class': 'x y', 'id': none, 'n': 3, 'q': missing} | xmlattr
{'class': 'x'} | xmlattr(false)
1 | filesizeformat
999 | filesizeformat
1000 | filesizeformat
1500000 | filesizeformat
1024 | filesizeformat(true)
123456789 | filesizeformat(binary=true)
1e30 | filesizeformat
'abc' | attr('upper')()
d | attr('b')
d | attr('items')() | list
'abc' | first
'abc' | last
'abc' | list
'abc' | join('-')
'abc' | length
'abc' | map('upper') | join
'b a c'.split() | sort | join(' ')
'a,b,,c'.split(',')
' a  b '.split(' ')
'a b c d'.rsplit(' ', 2)
'a b c d'.split(' ', maxsplit=2)
'k: v: w'.partition(': ')
'k: v: w'.rpartition(': ')
'x'.join(l)
','.join(ls)
'a-b_c'.replace('-', '_').split('_')
'line1\nline2\r\nline3'.splitlines()
'\u00a0 x \u3000'.strip() | length
'abc'.strip('ac')
'<think>a</think>b'.split('</think>')[-1].lstrip('\n')
'<think>a</think>b'.split('</think>')[0].split('<think>')[-1]
'TRUE'.lower() == 'true'
'a' is string and 1 is number
x is not none
x is not defined
x is defined and x is not none
x is divisibleby 3
x is divisibleby(2)
x is sameas 3
z is sameas none
t is sameas true
1 is sameas true
l is sameas l
3 is odd
4 is even
'a' is odd
'abc' is lower
'ABC' is upper
'upper' is filter
'nosuch' is filter
'defined' is test
x is in l
x is not in l
x is integer is true
s is mapping
d is mapping
(1, 2) is sequence
{} is sequence
range(3) is sequence
d.items() is sequence
x is eq 3
x is equalto(3)
x is ne 4
x is greaterthan 2
x is >= 3
true is boolean
1 is boolean
1.0 is float
1 is float
none is none
None is none
True
False
None
true
cycler is callable
s.upper is callable
x()
s()
missing()
none()
s.nosuch()
s.upper(1)
s.split(1)
'a'.join('xyz')
'x' in ['x'] and not 'y' in ['x']
(1 if true) + 1
[1, 2, 3,]
{'a': 1,}
(x)
(x, )
x.y.z
l.0
l.9
d.C.0
nested.0.1
l | length > 2
l | length + 1
(l | length) - 1
not l | length
x | string + 'a'
-x | string
-1 | abs
l[0] if l else 'none'
l[(l | length) - 1]
people[-1]['at']['city'][:2] | upper
people | length is divisibleby 3
'%s' | format(none)
none | string
none | upper
none | length
none | join
none | tojson
none | trim
none | list
none ~ ''
none + 1
true | string
true | tojson
true | lower
5 | string | length
5 | length
5 | list
5 | join(',')
5 | upper
5 | first
5 | tojson
5.0 | tojson
'a' | abs
'3' | abs
'a' | sum
[1, 2.5] | sum
['a'] | sum
['a', 'b'] | sum(start='')
strftime_now('%Y-%m-%d')
strftime_now('%d %b %Y')
strftime_now('%H') | length
strftime_now()
bos_token is defined
"""

PROGRAMS = [
    "{% set c = cycler('a', 'b', 'c') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.next() }}",
    "{% set j = joiner('; ') %}{% for i in l %}{{ j() }}{{ i }}{% endfor %}",
    "{% set j = joiner() %}{{ j() }}{{ j() }}{{ j() }}",
    "{{ cycler() }}",
    "{% set g = l | select('odd') %}{{ g | list }}{{ g | list }}",
    "{% set g = d | items %}{{ g | first }}{{ g | list }}",
    "{% set a = [1, 2] %}{% set b = a + [3] %}{{ a }}{{ b }}",
    "a\r\nb\rc\n",
    "{{ 'a\r\nb' }}",
    "{% if true %}\r\nx\r\n{% endif %}\r\ny",
    "x\n\n",
    "x\n",
    "",
    "\n",
    "   {% if true %}   \n  x\n  {% endif %}  \n",
    "{% set ns = namespace(found=false) %}{% for m in people %}{% if m.name == 'al' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}",
    "{% for m in people %}{{ m['name'] + ': ' + m['at']['city'] | trim + '\\n' }}{% endfor %}",
    "{%- for m in people -%}\n  {{- m.name }}\n  {%- if not loop.last -%}, {% endif -%}\n{%- endfor -%}",
    "{% for group in people | groupby('age') %}{{ group.grouper }}:{{ group.list | length }};{% endfor %}",
    "{% for k, v in people | groupby('age') %}{{ k }}:{{ v | map(attribute='name') | join(',') }};{% endfor %}",
    "{% for row in l | batch(2) %}{{ row }}{{ loop.index }}{% endfor %}",
    "{% macro show(v, depth=0) %}{% if v is mapping %}{% for k, w in v.items() %}{{ '  ' * depth }}{{ k }}:\n{{ show(w, depth + 1) }}{% endfor %}{% elif v is string %}{{ '  ' * depth }}{{ v }}\n{% elif v is iterable %}{% for w in v %}{{ show(w, depth + 1) }}{% endfor %}{% else %}{{ '  ' * depth }}{{ v }}\n{% endif %}{% endmacro %}{{ show(d) }}",
    "{% set ns = namespace(out='') %}{% for i in range(5) %}{% if i is odd %}{% continue %}{% endif %}{% set ns.out = ns.out ~ i %}{% endfor %}{{ ns.out }}",
    "{% set items = [] %}{% for i in l %}{% set items = items + [i] %}{% endfor %}{{ items }}",
    "{{ x }}{% set x = x + 1 %}{{ x }}",
    "{% for i in l %}{{ x }}{% set x = i %}{{ x }};{% endfor %}",
    "{% for a in l %}{% for b in l %}{% if b == 1 %}{% break %}{% endif %}{{ a }}{{ b }} {% endfor %}{% endfor %}",
    "{% if missing is defined and missing.x %}a{% else %}b{% endif %}",
    "{% if missing is not defined %}{% set missing = 'now' %}{% endif %}{{ missing }}",
    "{{ [1, 2] | map('string') | map('upper') | join('+') }}",
    "{% set t %}{% for i in l %}{{ i }}{% endfor %}{% endset %}{{ t | reverse }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}b{% endmacro %}{{ a() }}",
    "{%- macro f(p) -%}\n  {{- p -}}\n{%- endmacro -%}\n{{ f('x') }}\n{{ f('y') }}",
    "{% call missing() %}{% endcall %}",
    "{% for i in [1,2,3] %}{% set loop_last = loop.last %}{{ loop_last }}{% endfor %}",
    "{% for x in l %}{{ x }}{% endfor %}{{ x }}",
    "{{ loop }}",
    "{{ namespace }}"[:0] + "{{ namespace(a=[1]) }}",
    "{# unfinished",
    "{% raw %}unfinished",
    "{{ x }}{# c -#}\n  y",
    "  {# c #}\n  y",
    "  {#- c +#}\n  y",
    "{{ '\\\\' }}{{ \"\\\"\" }}",
    "{{ 'a' if missing else ('b' if none else 'c') }}",
    "{{ (people | selectattr('age', 'gt', 26) | list)[0].name }}",
    "{{ people | rejectattr('name', 'in', ['al']) | map(attribute='name') | join('/') }}",
    "{% set content = '<think>\\nhm\\n</think>\\n\\nyes' %}{{ content.split('</think>')[-1].lstrip('\\n') }}",
    "{% for i in range(3) %}{{ i }}{{ ',' if not loop.last }}{% endfor %}",
    "{{ '' if x else missing.y }}",
    "{{ \"%s-%s\" % (x, y) }}{{ '%.1f' % y }}",
    "{{ x ~ y ~ z ~ missing ~ t }}",
]


def environment():
    import jinja2.ext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(jinja2.ext.Extension):
        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method("_pass"), [], [], body).set_lineno(line)

        def _pass(self, caller):
            return caller()

    class TemplateDict:
        def __call__(self, *args, **kwargs):
            return dict(*args, **kwargs)

        def fromkeys(self, *args, **kwargs):
            return dict.fromkeys(*args, **kwargs)

    class TemplateNamespace(jinja2.utils.Namespace):
        def __setitem__(self, name, value):
            if name.startswith("_"):
                raise jinja2.exceptions.SecurityError(name)
            jinja2.utils.Namespace.__setitem__(self, name, value)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    result = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                           extensions=[Generation, jinja2.ext.loopcontrols])
    result.filters["tojson"] = tojson
    result.globals.update(raise_exception=raise_exception, dict=TemplateDict(), namespace=TemplateNamespace,
                          strftime_now=lambda format: datetime.datetime(2024, 6, 14, 21, 20).strftime(format))
    return result


def snippets():
    """(template, context) of every row."""
    expressions = [line for line in EXPRESSIONS.split("\n") if line]
    expressions += [f"{value} is {test}" for test in TESTS for value in VALUES]
    expressions += [f"{value} | {name}" for name in FILTERS for value in VALUES]
    expressions += [f"{value}.{method}" for method in STR_METHODS for value in ("s", "text", "u")]
    rows = [("{{ " + expression.replace("\\\n", "\\\n") + " }}", "plain") for expression in expressions]
    blocks = STATEMENTS.strip("\n").split("\n")
    rows += [(block, "plain") for block in blocks]
    # Each statement also with its neighbours on lines around it, as white space control needs.
    rows += [("\n".join(blocks[i:i + 3]), "plain") for i in range(0, len(blocks) - 2)]
    rows += [(program, "plain") for program in PROGRAMS]
    return rows + [(source, talk) for source in jinja_shapes.TEMPLATES for talk in jinja_shapes.TALKS]


def contexts():
    return {"plain": CONTEXT, **jinja_shapes.TALKS}


def answer(env, source, context):
    """What is written; None for an error, and "" in a list for what no other program can write (an address)."""
    try:
        text = env.from_string(source).render(json.loads(json.dumps(context)))
        text.encode()
    except Exception:
        return None
    return [] if " object at 0x" in text or " of object" in text or "built-in" in text or "<class" in text or "<function" in text else text


def record():
    env = environment()
    known = contexts()
    rows = []
    seen = set()
    for source, context in snippets():
        text = answer(env, source, known[context])
        if text != [] and (source, context) not in seen:
            seen.add((source, context))
            rows.append([context, source, text])
    return {"contexts": known, "rows": rows}


def main(action, path):
    recorded = record()
    if action == "make":
        rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in recorded["rows"])
        known = json.dumps(recorded["contexts"], ensure_ascii=False)
        path.write_text(f'{{"contexts": {known},\n"rows": [\n{rows}\n]}}\n', encoding="utf-8")
        return 0
    old = json.loads(path.read_text(encoding="utf-8"))
    changed = [row for row in recorded["rows"] if row not in old["rows"]]
    print("\n".join(map(str, changed)) or f"{len(old['rows'])} rows are what jinja2 writes")
    return 1 if changed or len(old["rows"]) != len(recorded["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
