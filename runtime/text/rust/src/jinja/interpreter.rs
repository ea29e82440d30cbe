// SPDX-License-Identifier: Apache-2.0
//! Runs the statements of a template. Variables live in scopes: one for the template, one for each turn of a loop, each
//! call of a macro and each block that has its own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::fuel::{self, charge, charge_bytes};
use super::globals;
use super::json::from_json;
use super::repr::to_str;
use super::sequence::iterate;
use super::tree::{FilterCall, ForLoop, Stmt, StmtKind, Target, Template};
use super::value::{fail, type_error, Cycler, Dict, Fault, Loop, Macro, Res, Undefined, Value};

type JsonObject = serde_json::Map<String, serde_json::Value>;

/// What one render may use.
pub struct Limits {
    pub steps: u64,
    pub output_bytes: usize,
    /// Calls within calls and expressions within expressions: each needs stack.
    pub depth: usize,
}

#[derive(Default)]
pub struct Scope {
    variables: RefCell<HashMap<Arc<str>, Value>>,
    parent: Option<Rc<Scope>>,
}

impl Scope {
    pub fn inside(parent: &Rc<Scope>) -> Rc<Scope> {
        Rc::new(Scope { parent: Some(parent.clone()), ..Scope::default() })
    }

    pub fn set(&self, name: &Arc<str>, value: Value) {
        self.variables.borrow_mut().insert(name.clone(), value);
    }

    fn find(&self, name: &str) -> Option<Value> {
        let mut scope = self;
        loop {
            if let Some(value) = scope.variables.borrow().get(name) {
                return Some(value.clone());
            }
            scope = scope.parent.as_ref()?;
        }
    }
}

/// What may hold a value that holds it again: taken apart at the end, one by one.
enum Knot {
    Scope(Rc<Scope>),
    Namespace(Rc<RefCell<Dict>>),
    Cycler(Rc<Cycler>),
    Loop(Rc<Loop>),
}

/// How a list of statements ended.
#[derive(PartialEq, Clone, Copy)]
pub enum Flow {
    Done,
    Break,
    Continue,
}

pub struct Interpreter {
    top: Rc<Scope>,
    knots: RefCell<Vec<Knot>>,
    depth: Cell<usize>,
    limits: Limits,
    pub now: i64,
}

/// What transformers always passes, None where its caller gave nothing.
const OPTIONAL: [&str; 2] = ["tools", "documents"];

/// The text of `template` with `variables`; `now` are the seconds since 1970 that it sees.
pub fn render(template: &Template, variables: &JsonObject, now: i64, limits: Limits) -> Res<String> {
    fuel::fill(limits.steps);
    let top = Rc::new(Scope::default());
    for name in OPTIONAL {
        top.set(&name.into(), Value::Absent);
    }
    for (name, value) in variables {
        top.set(&name.as_str().into(), from_json(value)?);
    }
    let interpreter =
        Interpreter { top: top.clone(), knots: RefCell::new(Vec::new()), depth: Cell::new(0), limits, now };
    let mut out = String::new();
    let result = interpreter.statements(&template.body, &top, &mut out);
    interpreter.untie();
    result.map(|_| out)
}

/// The line of an error that has none yet.
pub fn at_line<T>(line: u32, result: Res<T>) -> Res<T> {
    result.map_err(|fault| match fault.line {
        Some(_) => fault,
        None => Box::new(Fault { line: Some(line), ..*fault }),
    })
}

impl Interpreter {
    fn untie(&self) {
        self.knots.borrow_mut().push(Knot::Scope(self.top.clone()));
        while let Some(knot) = self.knots.borrow_mut().pop() {
            match knot {
                Knot::Scope(scope) => drop(scope.variables.take()),
                Knot::Namespace(namespace) => namespace.borrow_mut().clear(),
                Knot::Cycler(cycler) => drop(cycler.items.take()),
                Knot::Loop(state) => drop(state.changed.take()),
            }
        }
    }

    /// Counts one level around `work`.
    pub fn deeper<T>(&self, work: impl FnOnce() -> Res<T>) -> Res<T> {
        let depth = self.depth.get();
        if depth >= self.limits.depth {
            return fail("it calls itself too deeply");
        }
        self.depth.set(depth + 1);
        let result = work();
        self.depth.set(depth);
        result
    }

    pub fn write(&self, text: &str, out: &mut String) -> Res<()> {
        charge_bytes(text.len())?;
        if text.len() > self.limits.output_bytes.saturating_sub(out.len()) {
            return fail(format!("more than {} bytes of output", self.limits.output_bytes));
        }
        out.push_str(text);
        Ok(())
    }

    pub fn new_namespace(&self, dict: Dict) -> Value {
        let namespace = Rc::new(RefCell::new(dict));
        self.knots.borrow_mut().push(Knot::Namespace(namespace.clone()));
        Value::Namespace(namespace)
    }

    pub fn new_cycler(&self, items: Vec<Value>) -> Value {
        let cycler = Rc::new(Cycler { items: RefCell::new(items), at: Cell::new(0) });
        self.knots.borrow_mut().push(Knot::Cycler(cycler.clone()));
        Value::Cycler(cycler)
    }

    /// A macro holds its scope, which may hold the macro.
    pub fn new_macro(&self, def: &Arc<super::tree::MacroDef>, scope: &Rc<Scope>) -> Value {
        self.knots.borrow_mut().push(Knot::Scope(scope.clone()));
        Value::Macro(Rc::new(Macro { def: def.clone(), scope: scope.clone() }))
    }

    pub fn variable(&self, name: &Arc<str>, scope: &Scope) -> Value {
        let found = scope.find(name).or_else(|| globals::find(name).map(Value::Function));
        found.unwrap_or_else(|| Value::Undefined(Rc::new(Undefined::Name(name.clone()))))
    }

    pub fn statements(&self, body: &[Stmt], scope: &Rc<Scope>, out: &mut String) -> Res<Flow> {
        for stmt in body {
            charge(1)?;
            let flow = at_line(stmt.line, self.deeper(|| self.statement(&stmt.kind, scope, out)))?;
            if flow != Flow::Done {
                return Ok(flow);
            }
        }
        Ok(Flow::Done)
    }

    /// The text that statements write, with a scope of their own.
    pub fn captured(&self, body: &[Stmt], scope: &Rc<Scope>) -> Res<String> {
        let mut text = String::new();
        self.statements(body, scope, &mut text)?;
        Ok(text)
    }

    fn statement(&self, kind: &StmtKind, scope: &Rc<Scope>, out: &mut String) -> Res<Flow> {
        match kind {
            StmtKind::Data(text) => self.write(text, out)?,
            StmtKind::Print(values) => {
                for value in values {
                    let value = self.evaluate(value, scope)?;
                    self.write(&to_str(&value)?, out)?;
                }
            }
            StmtKind::Set(target, value) => {
                let value = self.evaluate(value, scope)?;
                self.assign(target, value, scope)?;
            }
            StmtKind::SetBlock(target, filters, body) => {
                let text = self.captured(body, &Scope::inside(scope))?;
                let value = self.filtered(Value::str(text), filters, scope)?;
                self.assign(target, value, scope)?;
            }
            StmtKind::For(def) => self.for_loop(def, scope, out)?,
            StmtKind::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.evaluate(condition, scope)?.truth() {
                        return self.statements(body, scope, out);
                    }
                }
                return self.statements(otherwise, scope, out);
            }
            StmtKind::With(bindings, body) => {
                let inner = Scope::inside(scope);
                for (target, value) in bindings {
                    let value = self.evaluate(value, scope)?;
                    self.assign(target, value, &inner)?;
                }
                return self.statements(body, &inner, out);
            }
            StmtKind::Macro(def) => scope.set(&def.name, self.new_macro(def, scope)),
            StmtKind::CallBlock(def, call) => {
                let caller = self.new_macro(def, scope);
                let text = to_str(&self.call_with_caller(call, caller, scope)?)?;
                self.write(&text, out)?;
            }
            StmtKind::FilterBlock(filters, body) => {
                let text = self.captured(body, &Scope::inside(scope))?;
                let value = self.filtered(Value::str(text), filters, scope)?;
                self.write(&to_str(&value)?, out)?;
            }
            StmtKind::Scope(body) => return self.statements(body, &Scope::inside(scope), out),
            StmtKind::Block(body) => return self.statements(body, &Scope::inside(&self.top), out),
            StmtKind::Break => return Ok(Flow::Break),
            StmtKind::Continue => return Ok(Flow::Continue),
            StmtKind::Fail(why) => return fail(why.clone()),
        }
        Ok(Flow::Done)
    }

    fn filtered(&self, mut value: Value, filters: &[FilterCall], scope: &Rc<Scope>) -> Res<Value> {
        for call in filters {
            value = at_line(call.line, self.filter(value, call, scope))?;
        }
        Ok(value)
    }

    fn assign(&self, target: &Target, value: Value, scope: &Rc<Scope>) -> Res<()> {
        match target {
            Target::Name(name) => scope.set(name, value),
            Target::Attribute(of, name) => match self.variable(of, scope) {
                Value::Namespace(_) if name.starts_with('_') => {
                    return fail(format!("a namespace keeps no attribute that starts with an underscore, as '{name}'"));
                }
                Value::Namespace(namespace) => namespace.borrow_mut().insert(Value::Str(name.clone()), value)?,
                _ => return fail("cannot assign attribute on non-namespace object"),
            },
            Target::Tuple(targets) => {
                let values = iterate(&value).or_else(|_| {
                    type_error(&value, || format!("cannot unpack non-iterable {} object", value.type_name()))
                })?;
                if values.len() != targets.len() {
                    let (wanted, found) = (targets.len(), values.len());
                    return fail(if found < wanted {
                        format!("not enough values to unpack (expected {wanted}, got {found})")
                    } else {
                        format!("too many values to unpack (expected {wanted})")
                    });
                }
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value, scope)?;
                }
            }
        }
        Ok(())
    }

    fn for_loop(&self, def: &Arc<ForLoop>, scope: &Rc<Scope>, out: &mut String) -> Res<()> {
        let items = self.evaluate(&def.items, scope)?;
        self.turns(def, &items, 0, scope, out)
    }

    fn turns(&self, def: &Arc<ForLoop>, over: &Value, depth0: usize, scope: &Rc<Scope>, out: &mut String) -> Res<()> {
        let mut items = iterate(over)?;
        if let Some(condition) = &def.condition {
            let mut kept = Vec::new();
            for item in items {
                charge(1)?;
                let inner = Scope::inside(scope);
                self.assign(&def.target, item.clone(), &inner)?;
                if self.evaluate(condition, &inner)?.truth() {
                    kept.push(item);
                }
            }
            items = kept;
        }
        let again = def.recursive.then(|| (def.clone(), scope.clone()));
        let state = Rc::new(Loop { items, index0: Cell::new(0), depth0, changed: RefCell::new(None), again });
        // As in jinja2, a turn that `continue` or `break` ends does not count for the else branch.
        let mut one_ended = false;
        for (index, item) in state.items.iter().enumerate() {
            charge(1)?;
            state.index0.set(index);
            let inner = Scope::inside(scope);
            inner.set(&"loop".into(), Value::Loop(state.clone()));
            self.assign(&def.target, item.clone(), &inner)?;
            match self.statements(&def.body, &inner, out)? {
                Flow::Done => one_ended = true,
                Flow::Continue => {}
                Flow::Break => break,
            }
        }
        if Rc::strong_count(&state) > 1 || state.changed.borrow().is_some() {
            self.knots.borrow_mut().push(Knot::Loop(state.clone()));
        }
        if !one_ended {
            self.statements(&def.otherwise, &Scope::inside(scope), out)?;
        }
        Ok(())
    }

    /// A call of `loop` in a recursive one: its body for other items.
    pub fn recurse(&self, state: &Loop, items: &Value) -> Res<Value> {
        let Some((def, scope)) = &state.again else {
            return fail("The loop must have the 'recursive' marker to be called recursively.");
        };
        let mut text = String::new();
        self.deeper(|| self.turns(def, items, state.depth0 + 1, scope, &mut text))?;
        Ok(Value::str(text))
    }
}
