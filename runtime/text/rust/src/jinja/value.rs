// SPDX-License-Identifier: Apache-2.0
//! The values of a template: those of Python that JSON, literals and filters make.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::fuel::charge;
use super::globals::Function;
use super::interpreter::Scope;
use super::tree::{ForLoop, MacroDef};

/// What went wrong, and in which line.
#[derive(Debug)]
pub struct Fault {
    pub message: String,
    pub line: Option<u32>,
}

pub type Res<T> = Result<T, Box<Fault>>;

pub fn fail<T>(message: impl Into<String>) -> Res<T> {
    Err(Box::new(Fault { message: message.into(), line: None }))
}

/// Containers within containers: enough for every JSON, little enough for recursion.
const MAX_DEPTH: u32 = 200;

#[derive(Clone)]
pub enum Value {
    Undefined(Rc<Undefined>),
    /// A variable that transformers passes as None where a caller gave nothing (`tools`, `documents`): None, and yet
    /// not defined, so that a template sees "nothing given" whichever of the two it asks for.
    Absent,
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Arc<str>),
    List(Rc<Items>),
    Tuple(Rc<Items>),
    Dict(Rc<Dict>),
    View(View, Rc<Items>),
    Range(Range),
    /// Gives each of its items once.
    Iterator(Rc<RefCell<std::vec::IntoIter<Value>>>, u32),
    Namespace(Rc<RefCell<Dict>>),
    Macro(Rc<Macro>),
    Method(Rc<Method>),
    Function(Function),
    Loop(Rc<Loop>),
    Cycler(Rc<Cycler>),
    Joiner(Rc<Joiner>),
}

/// Why a value is undefined, for the error of what cannot be done with it.
pub enum Undefined {
    Name(Arc<str>),
    Attribute { of: &'static str, name: Arc<str> },
    Element { of: &'static str, key: String },
    Because(String),
}

impl Undefined {
    pub fn message(&self) -> String {
        match self {
            Undefined::Name(name) => format!("'{name}' is undefined"),
            Undefined::Attribute { of, name } => format!("'{of}' has no attribute '{name}'"),
            Undefined::Element { of, key } => format!("{of} has no element {key}"),
            Undefined::Because(why) => why.clone(),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum View {
    Keys,
    Values,
    Items,
}

#[derive(Clone, Copy)]
pub struct Range {
    pub start: i128,
    pub stop: i128,
    pub step: i128,
}

impl Range {
    pub fn len(&self) -> usize {
        let span = if self.step > 0 { self.stop - self.start } else { self.start - self.stop };
        if span <= 0 {
            return 0;
        }
        ((span - 1) / self.step.abs() + 1) as usize
    }

    pub fn at(&self, index: usize) -> Value {
        Value::Int(self.start + self.step * index as i128)
    }

    pub fn items(&self) -> impl Iterator<Item = Value> + '_ {
        (0..self.len()).map(|i| self.at(i))
    }
}

/// Values in order, and how deep they are nested.
pub struct Items {
    pub values: Vec<Value>,
    depth: u32,
}

pub struct Macro {
    pub def: Arc<MacroDef>,
    pub scope: Rc<Scope>,
}

/// A method together with the value it was taken from.
pub struct Method {
    pub of: Value,
    pub name: Arc<str>,
}

pub struct Loop {
    pub items: Vec<Value>,
    pub index0: Cell<usize>,
    pub depth0: usize,
    pub changed: RefCell<Option<Vec<Value>>>,
    /// Of a recursive loop: what its call runs, and where.
    pub again: Option<(Arc<ForLoop>, Rc<Scope>)>,
}

pub struct Cycler {
    pub items: RefCell<Vec<Value>>,
    pub at: Cell<usize>,
}

pub struct Joiner {
    pub separator: Arc<str>,
    pub used: Cell<bool>,
}

/// What equal keys of a dict have in common.
#[derive(PartialEq, Eq, Hash, Clone)]
pub enum Key {
    None,
    Undefined,
    Int(i128),
    Float(u64),
    Str(Arc<str>),
    Tuple(Vec<Key>),
    Identity(usize),
}

/// Keys in the order in which they came.
#[derive(Default)]
pub struct Dict {
    pub entries: Vec<(Value, Value)>,
    index: HashMap<Key, usize>,
    depth: u32,
}

impl Dict {
    /// A dict that becomes a value is closed by Value::dict, which checks its depth.
    pub fn insert(&mut self, key: Value, value: Value) -> Res<()> {
        self.depth = self.depth.max(key.depth()).max(value.depth());
        let hashed = key.key()?;
        match self.index.get(&hashed) {
            Some(&at) => self.entries[at].1 = value,
            None => {
                self.index.insert(hashed, self.entries.len());
                self.entries.push((key, value));
            }
        }
        Ok(())
    }

    pub fn get(&self, key: &Value) -> Res<Option<&Value>> {
        Ok(self.index.get(&key.key()?).map(|&at| &self.entries[at].1))
    }

    pub fn get_str(&self, key: &str) -> Option<&Value> {
        self.index.get(&Key::Str(key.into())).map(|&at| &self.entries[at].1)
    }

    pub fn clear(&mut self) {
        *self = Dict::default();
    }

    pub fn keys(&self) -> Vec<Value> {
        self.entries.iter().map(|(key, _)| key.clone()).collect()
    }
}

impl Value {
    pub fn str(text: impl Into<Arc<str>>) -> Value {
        Value::Str(text.into())
    }

    pub fn undefined(why: impl Into<String>) -> Value {
        Value::Undefined(Rc::new(Undefined::Because(why.into())))
    }

    pub fn list(values: Vec<Value>) -> Res<Value> {
        Ok(Value::List(items(values)?))
    }

    pub fn tuple(values: Vec<Value>) -> Res<Value> {
        Ok(Value::Tuple(items(values)?))
    }

    pub fn view(view: View, values: Vec<Value>) -> Res<Value> {
        Ok(Value::View(view, items(values)?))
    }

    pub fn iterator(values: Vec<Value>) -> Res<Value> {
        let depth = items_depth(&values)?;
        Ok(Value::Iterator(Rc::new(RefCell::new(values.into_iter())), depth))
    }

    pub fn dict(mut dict: Dict) -> Res<Value> {
        dict.depth += 1;
        if dict.depth > MAX_DEPTH {
            return fail("values are nested too deeply");
        }
        Ok(Value::Dict(Rc::new(dict)))
    }

    /// Namespaces, macros and loops end a chain: the interpreter takes them apart one by one.
    fn depth(&self) -> u32 {
        match self {
            Value::List(items) | Value::Tuple(items) | Value::View(_, items) => items.depth,
            Value::Dict(dict) => dict.depth,
            Value::Iterator(_, depth) => *depth,
            Value::Method(method) => method.of.depth() + 1,
            _ => 0,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_) | Value::Absent)
    }

    pub fn is_none(&self) -> bool {
        matches!(self, Value::None | Value::Absent)
    }

    pub fn truth(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::Absent | Value::None => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::List(items) | Value::Tuple(items) | Value::View(_, items) => !items.values.is_empty(),
            Value::Dict(dict) => !dict.entries.is_empty(),
            Value::Range(range) => range.len() != 0,
            Value::Loop(state) => !state.items.is_empty(),
            _ => true,
        }
    }

    /// The name of the type in Python.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::Absent | Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::View(View::Keys, _) => "dict_keys",
            Value::View(View::Values, _) => "dict_values",
            Value::View(View::Items, _) => "dict_items",
            Value::Range(_) => "range",
            Value::Iterator(..) => "generator",
            Value::Namespace(_) => "Namespace",
            Value::Macro(_) => "Macro",
            Value::Method(_) => "builtin_function_or_method",
            Value::Function(_) => "function",
            Value::Loop(_) => "LoopContext",
            Value::Cycler(_) => "Cycler",
            Value::Joiner(_) => "Joiner",
        }
    }

    /// The type as the errors of jinja2 name it.
    pub fn object_name(&self) -> &'static str {
        match self {
            Value::Absent | Value::None => "None",
            Value::Bool(_) => "bool object",
            Value::Int(_) => "int object",
            Value::Float(_) => "float object",
            Value::Str(_) => "str object",
            Value::List(_) => "list object",
            Value::Tuple(_) => "tuple object",
            Value::Dict(_) => "dict object",
            _ => "object",
        }
    }

    /// Fails for what no dict takes as a key.
    pub fn key(&self) -> Res<Key> {
        Ok(match self {
            Value::Absent | Value::None => Key::None,
            Value::Undefined(_) => Key::Undefined,
            Value::Bool(value) => Key::Int(i128::from(*value)),
            Value::Int(value) => Key::Int(*value),
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 1e38 => Key::Int(*value as i128),
            Value::Float(value) => Key::Float(value.to_bits()),
            Value::Str(text) => Key::Str(text.clone()),
            Value::Tuple(items) => {
                charge(items.values.len())?;
                Key::Tuple(items.values.iter().map(Value::key).collect::<Res<_>>()?)
            }
            Value::List(_) | Value::Dict(_) | Value::View(View::Keys | View::Items, _) => {
                return fail(format!("unhashable type: '{}'", self.type_name()));
            }
            other => Key::Identity(other.identity().unwrap_or(0)),
        })
    }

    /// Where the value lies, for those that are the same only when they are one.
    pub fn identity(&self) -> Option<usize> {
        Some(match self {
            Value::Undefined(shared) => Rc::as_ptr(shared) as usize,
            Value::List(shared) | Value::Tuple(shared) | Value::View(_, shared) => Rc::as_ptr(shared) as usize,
            Value::Dict(shared) => Rc::as_ptr(shared) as usize,
            Value::Iterator(shared, _) => Rc::as_ptr(shared) as *const () as usize,
            Value::Namespace(shared) => Rc::as_ptr(shared) as *const () as usize,
            Value::Macro(shared) => Rc::as_ptr(shared) as usize,
            Value::Method(shared) => Rc::as_ptr(shared) as usize,
            Value::Loop(shared) => Rc::as_ptr(shared) as usize,
            Value::Cycler(shared) => Rc::as_ptr(shared) as usize,
            Value::Joiner(shared) => Rc::as_ptr(shared) as usize,
            Value::Function(function) => *function as usize,
            _ => return None,
        })
    }

    /// `of` without the attribute or element `name`.
    pub fn lacks_attribute(of: &Value, name: Arc<str>) -> Value {
        Value::Undefined(Rc::new(Undefined::Attribute { of: of.object_name(), name }))
    }
}

/// The error of using an undefined value, or `otherwise`.
pub fn type_error<T>(value: &Value, otherwise: impl FnOnce() -> String) -> Res<T> {
    match value {
        Value::Undefined(why) => fail(why.message()),
        _ => fail(otherwise()),
    }
}

fn items_depth(values: &[Value]) -> Res<u32> {
    charge(values.len() / 8)?;
    let depth = 1 + values.iter().map(Value::depth).max().unwrap_or(0);
    if depth > MAX_DEPTH {
        return fail("values are nested too deeply");
    }
    Ok(depth)
}

fn items(values: Vec<Value>) -> Res<Rc<Items>> {
    let depth = items_depth(&values)?;
    Ok(Rc::new(Items { values, depth }))
}
