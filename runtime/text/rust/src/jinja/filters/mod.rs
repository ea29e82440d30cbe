// SPDX-License-Identifier: Apache-2.0
//! The filters of jinja2, with transformers' `tojson`.

mod items;
mod keys;
mod numbers;
mod text;

pub use text::escaped;

use super::args::Args;
use super::interpreter::Interpreter;
use super::json::tojson;
use super::value::{Res, Value};

pub type Filter = fn(&Interpreter, Value, Args) -> Res<Value>;

const FILTERS: &[(&str, Filter)] = &[
    ("abs", numbers::abs),
    ("attr", items::attr),
    ("batch", items::batch),
    ("capitalize", text::capitalize),
    ("center", text::center),
    ("count", items::length_of),
    ("d", items::default),
    ("default", items::default),
    ("dictsort", keys::dictsort),
    ("e", text::escape),
    ("escape", text::escape),
    ("filesizeformat", numbers::file_size),
    ("first", items::first),
    ("float", numbers::float),
    ("forceescape", text::escape),
    ("format", text::format),
    ("groupby", keys::groupby),
    ("indent", text::indent),
    ("int", numbers::integer),
    ("items", items::items),
    ("join", keys::join),
    ("last", items::last),
    ("length", items::length_of),
    ("list", items::list),
    ("lower", text::lower),
    ("map", items::map),
    ("max", |interpreter, value, args| keys::extreme(interpreter, value, args, true)),
    ("min", |interpreter, value, args| keys::extreme(interpreter, value, args, false)),
    ("pprint", text::pprint),
    ("reject", |interpreter, value, args| items::select(interpreter, value, args, false, false)),
    ("rejectattr", |interpreter, value, args| items::select(interpreter, value, args, false, true)),
    ("replace", text::replace),
    ("reverse", items::reverse),
    ("round", numbers::round),
    ("safe", text::string),
    ("select", |interpreter, value, args| items::select(interpreter, value, args, true, false)),
    ("selectattr", |interpreter, value, args| items::select(interpreter, value, args, true, true)),
    ("slice", items::slice),
    ("sort", keys::sort),
    ("string", text::string),
    ("striptags", text::strip_tags),
    ("sum", keys::sum),
    ("title", text::title),
    ("tojson", tojson),
    ("trim", text::trim),
    ("truncate", text::truncate),
    ("unique", keys::unique),
    ("upper", text::upper),
    ("urlencode", text::url_encode),
    ("wordcount", text::word_count),
    ("wordwrap", text::word_wrap),
    ("xmlattr", text::xml_attributes),
];

pub fn find(name: &str) -> Option<Filter> {
    FILTERS.iter().find(|(known, _)| *known == name).map(|&(_, filter)| filter)
}
