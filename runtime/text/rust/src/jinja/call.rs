// SPDX-License-Identifier: Apache-2.0
//! Calls: of macros, methods, functions and the few objects that can be called.

use std::rc::Rc;

use super::args::Args;
use super::globals;
use super::interpreter::{Interpreter, Scope};
use super::methods;
use super::tree::{Expr, ExprKind};
use super::value::{fail, type_error, Dict, Macro, Res, Value};

impl Interpreter {
    pub fn call(&self, callee: &Value, args: Args) -> Res<Value> {
        match callee {
            Value::Macro(callee) => self.deeper(|| self.call_macro(callee, args)),
            Value::Method(method) => methods::call(self, &method.of, &method.name, args),
            Value::Function(function) => globals::call(self, *function, args),
            Value::Loop(state) => {
                let [items] = args.bind("loop", ["iterable"], 1)?;
                self.recurse(state, &items.unwrap_or(Value::None))
            }
            Value::Joiner(joiner) => {
                args.none("joiner")?;
                Ok(if joiner.used.replace(true) { Value::Str(joiner.separator.clone()) } else { Value::str("") })
            }
            other => type_error(other, || format!("'{}' object is not callable", other.type_name())),
        }
    }

    pub fn call_with_caller(&self, call: &Expr, caller: Value, scope: &Rc<Scope>) -> Res<Value> {
        let ExprKind::Call(callee, arguments) = &call.kind else { return fail("expected call") };
        let callee = self.evaluate(callee, scope)?;
        let mut args = self.args(arguments, scope)?;
        args.add_named("caller".into(), caller)?;
        self.call(&callee, args)
    }

    fn call_macro(&self, callee: &Rc<Macro>, mut args: Args) -> Res<Value> {
        let def = &callee.def;
        let name = &def.name;
        let scope = Scope::inside(&callee.scope);
        let rest = args.positional.split_off(args.positional.len().min(def.parameters.len()));
        let mut positional = args.positional.drain(..).collect::<Vec<_>>().into_iter();
        for (parameter, default) in &def.parameters {
            let given = positional.next().or_else(|| args.take_named(parameter));
            let value = match (given, default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.evaluate(default, &scope)?,
                (None, None) => Value::undefined(format!("parameter '{parameter}' was not provided")),
            };
            scope.set(parameter, value);
        }
        if def.takes_caller {
            let caller = args.take_named("caller");
            scope.set(&"caller".into(), caller.unwrap_or_else(|| Value::undefined("No caller defined")));
        }
        if def.takes_kwargs {
            let mut kwargs = Dict::default();
            for (name, value) in args.named {
                kwargs.insert(Value::Str(name), value)?;
            }
            scope.set(&"kwargs".into(), Value::dict(kwargs)?);
        } else if let Some((unknown, _)) = args.named.first() {
            return fail(format!("macro '{name}' takes no keyword argument '{unknown}'"));
        }
        if def.takes_varargs {
            scope.set(&"varargs".into(), Value::tuple(rest)?);
        } else if !rest.is_empty() {
            return fail(format!("macro '{name}' takes not more than {} argument(s)", def.parameters.len()));
        }
        self.captured(&def.body, &scope).map(Value::str)
    }
}
