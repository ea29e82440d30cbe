// SPDX-License-Identifier: Apache-2.0
//! The value of an expression.

use std::rc::Rc;

use super::args::Args;
use super::attributes::{attribute, item, slice};
use super::filters::{self, escaped};
use super::fuel::charge;
use super::interpreter::{at_line, Interpreter, Scope};
use super::operators::{binary, compare, negative, positive};
use super::repr::to_str;
use super::sequence::iterate;
use super::tests;
use super::tree::{Arguments, Binary, Expr, ExprKind, FilterCall, Literal};
use super::value::{fail, Dict, Res, Value};

/// Whether jinja2 makes a text of HTML of this: what `safe` and `escape` give, and sums of it. Known only inside of one
/// expression: a variable does not keep it.
fn is_safe(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Filter(_, call) => matches!(&*call.name, "safe" | "escape" | "e" | "forceescape"),
        ExprKind::Binary(Binary::Add, left, right) => is_safe(right) || is_safe(left),
        _ => false,
    }
}

/// A part of a sum: text that is added to HTML is escaped.
fn joined_to_safe(value: Value, safe: bool) -> Value {
    match value {
        Value::Str(text) if !safe => Value::str(escaped(&text)),
        value => value,
    }
}

impl Interpreter {
    pub fn evaluate(&self, expr: &Expr, scope: &Rc<Scope>) -> Res<Value> {
        charge(1)?;
        at_line(expr.line, self.deeper(|| self.evaluate_kind(&expr.kind, scope)))
    }

    fn evaluate_kind(&self, kind: &ExprKind, scope: &Rc<Scope>) -> Res<Value> {
        match kind {
            ExprKind::Literal(literal) => Ok(literal_value(literal)),
            ExprKind::Name(name) => Ok(self.variable(name, scope)),
            ExprKind::List(items) => Value::list(self.evaluate_all(items, scope)?),
            ExprKind::Tuple(items) => Value::tuple(self.evaluate_all(items, scope)?),
            ExprKind::Dict(entries) => self.dict(entries, scope),
            ExprKind::Attribute(of, name) => attribute(&self.evaluate(of, scope)?, name),
            ExprKind::Item(of, key) => {
                let of = self.evaluate(of, scope)?;
                item(&of, &self.evaluate(key, scope)?)
            }
            ExprKind::Slice(of, bounds) => self.slice(of, bounds, scope),
            ExprKind::Call(callee, arguments) => {
                let callee = self.evaluate(callee, scope)?;
                let args = self.args(arguments, scope)?;
                self.call(&callee, args)
            }
            ExprKind::Filter(value, call) => {
                let value = self.evaluate(value, scope)?;
                at_line(call.line, self.filter(value, call, scope))
            }
            ExprKind::Test(value, call) => {
                let value = self.evaluate(value, scope)?;
                self.test(&value, call, scope).map(Value::Bool)
            }
            ExprKind::If(value, condition, otherwise) => self.choice(value, condition, otherwise.as_deref(), scope),
            _ => self.evaluate_operator(kind, scope),
        }
    }

    fn evaluate_operator(&self, kind: &ExprKind, scope: &Rc<Scope>) -> Res<Value> {
        match kind {
            ExprKind::Not(value) => Ok(Value::Bool(!self.evaluate(value, scope)?.truth())),
            ExprKind::And(left, right) => {
                let left = self.evaluate(left, scope)?;
                if left.truth() {
                    self.evaluate(right, scope)
                } else {
                    Ok(left)
                }
            }
            ExprKind::Or(left, right) => {
                let left = self.evaluate(left, scope)?;
                if left.truth() {
                    Ok(left)
                } else {
                    self.evaluate(right, scope)
                }
            }
            ExprKind::Compare(first, others) => {
                let mut left = self.evaluate(first, scope)?;
                for (comparison, right) in others {
                    let right = self.evaluate(right, scope)?;
                    if !compare(*comparison, &left, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            ExprKind::Binary(operator, left, right) => {
                let safe = *operator == Binary::Add && (is_safe(left) || is_safe(right));
                let (left_safe, right_safe) = (!safe || is_safe(left), !safe || is_safe(right));
                let left = self.evaluate(left, scope)?;
                let right = self.evaluate(right, scope)?;
                binary(*operator, &joined_to_safe(left, left_safe), &joined_to_safe(right, right_safe))
            }
            ExprKind::Concat(parts) => {
                let mut text = String::new();
                for part in parts {
                    text.push_str(&to_str(&self.evaluate(part, scope)?)?);
                    charge(text.len() / 256)?;
                }
                Ok(Value::str(text))
            }
            ExprKind::Negative(value) => negative(&self.evaluate(value, scope)?),
            ExprKind::Positive(value) => positive(&self.evaluate(value, scope)?),
            _ => fail("an expression that is none"),
        }
    }

    fn evaluate_all(&self, exprs: &[Expr], scope: &Rc<Scope>) -> Res<Vec<Value>> {
        exprs.iter().map(|expr| self.evaluate(expr, scope)).collect()
    }

    fn dict(&self, entries: &[(Expr, Expr)], scope: &Rc<Scope>) -> Res<Value> {
        let mut dict = Dict::default();
        for (key, value) in entries {
            let key = self.evaluate(key, scope)?;
            dict.insert(key, self.evaluate(value, scope)?)?;
        }
        Value::dict(dict)
    }

    fn choice(&self, value: &Expr, condition: &Expr, otherwise: Option<&Expr>, scope: &Rc<Scope>) -> Res<Value> {
        if self.evaluate(condition, scope)?.truth() {
            return self.evaluate(value, scope);
        }
        match otherwise {
            Some(otherwise) => self.evaluate(otherwise, scope),
            None => {
                Ok(Value::undefined("the inline if-expression evaluated to false and no else section was defined."))
            }
        }
    }

    fn slice(&self, of: &Expr, bounds: &[Option<Box<Expr>>; 3], scope: &Rc<Scope>) -> Res<Value> {
        let of = self.evaluate(of, scope)?;
        let mut values = [Value::None, Value::None, Value::None];
        for (value, bound) in values.iter_mut().zip(bounds) {
            if let Some(bound) = bound {
                *value = self.evaluate(bound, scope)?;
            }
        }
        slice(&of, &values)
    }

    pub fn args(&self, arguments: &Arguments, scope: &Rc<Scope>) -> Res<Args> {
        let mut args = Args { positional: self.evaluate_all(&arguments.positional, scope)?, named: Vec::new() };
        for (name, value) in &arguments.named {
            args.add_named(name.clone(), self.evaluate(value, scope)?)?;
        }
        if let Some(spread) = &arguments.spread {
            args.positional.extend(iterate(&self.evaluate(spread, scope)?)?);
        }
        if let Some(spread) = &arguments.spread_named {
            args.add_all_named(&self.evaluate(spread, scope)?)?;
        }
        Ok(args)
    }

    pub fn filter(&self, value: Value, call: &FilterCall, scope: &Rc<Scope>) -> Res<Value> {
        let args = self.args(&call.arguments, scope)?;
        self.filter_by_name(&call.name, value, args)
    }

    pub fn filter_by_name(&self, name: &str, value: Value, args: Args) -> Res<Value> {
        let Some(filter) = filters::find(name) else { return fail(format!("No filter named '{name}'.")) };
        filter(self, value, args)
    }

    fn test(&self, value: &Value, call: &FilterCall, scope: &Rc<Scope>) -> Res<bool> {
        let args = self.args(&call.arguments, scope)?;
        self.test_by_name(&call.name, value, args)
    }

    pub fn test_by_name(&self, name: &str, value: &Value, args: Args) -> Res<bool> {
        let Some(test) = tests::find(name) else { return fail(format!("No test named '{name}'.")) };
        test(value, args)
    }
}

fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::None => Value::None,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Float(value) => Value::Float(*value),
        Literal::Str(text) => Value::Str(text.clone()),
    }
}
